import type { ScheduleDefinition } from "../../store/store.ts";
import { cronProblem, nextSlot, timezoneProblem } from "./cron.ts";

/** Makes the error of a member that cannot be used, from its name, the rule and the value. */
export type Refuse = (member: keyof ScheduleDefinition, rule: string, value: unknown) => Error;

/** What is done about slots that passed while no server ran. */
export const CATCH_UPS = ["skip", "one", "all"] as const;
/** What is done when the execution of an earlier slot still goes on. */
export const OVERLAPS = ["skip", "allow", "queue", "cancel"] as const;
/** Name and values of a schedule that does not say them. */
export const DEFAULTS = Object.freeze({ name: "default", timezone: "UTC", catchUp: "skip", overlap: "skip" } as const);

/** Form of a schedule's name. */
export const SCHEDULE_NAME = "^[A-Za-z0-9][A-Za-z0-9_. -]{0,63}$";
const NAME = new RegExp(SCHEDULE_NAME);
/** Longest input as JSON, bytes. */
const MAX_INPUT_BYTES = 256 * 1024;
const MAX_TIMEZONE = 64;

/** Checks what a schedule says, whenever that is; throws what `refuse` makes. */
export function checkDefinition(definition: ScheduleDefinition, refuse: Refuse): void {
  const { name, cron, timezone, input } = definition;
  if (!NAME.test(name)) throw refuse("name", "1 to 64 letters, digits, spaces or any of _ . -", name);
  const zone = timezone.length > MAX_TIMEZONE ? `at most ${MAX_TIMEZONE} characters` : timezoneProblem(timezone);
  if (zone !== null) throw refuse("timezone", zone, timezone);
  const problem = cronProblem(cron, timezone);
  if (problem !== null) throw refuse("cron", problem, cron);
  const bytes = input === null ? 0 : Buffer.byteLength(input);
  if (bytes > MAX_INPUT_BYTES) throw refuse("input", `at most ${MAX_INPUT_BYTES} bytes as JSON`, bytes);
}

/** The first slot after `now`; throws what `refuse` makes when there will be none. */
export function firstSlot(definition: ScheduleDefinition, now: number, refuse: Refuse): number {
  const { cron, endAt } = definition;
  if (endAt !== null && endAt <= now) throw refuse("endAt", "in the future", new Date(endAt).toISOString());
  const slot = nextSlot(definition, now);
  if (slot !== null) return slot;
  throw refuse("cron", endAt === null ? "due some time" : "due before the schedule's end", cron);
}

/** Milliseconds of a time given as seconds since the epoch or as ISO 8601 text with a zone; null when it is neither. */
export function parseTime(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 && value < 1e11 ? value * 1_000 : null;
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(value))
    return null;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : at;
}
