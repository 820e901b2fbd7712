import type { ScheduleDefinition } from "../../store/store.ts";
import { CATCH_UPS, checkDefinition, DEFAULTS, OVERLAPS, parseTime, type Refuse } from "../schedules/definition.ts";
import { parseWord, readMembers, refuse } from "./value.ts";

const KEYS = ["name", "cron", "timezone", "input", "catchUp", "overlap", "endAt"];
const MAX_SCHEDULES = 100;

function parseText(path: string, value: unknown, fallback: string): string {
  if (value === undefined) return fallback;
  if (typeof value === "string") return value;
  throw refuse(path, "a text", value);
}

function parseEnd(path: string, value: unknown): number | null {
  if (value === undefined) return null;
  const at = parseTime(value);
  if (at !== null) return at;
  throw refuse(path, "a time: ISO 8601 with a zone, or seconds since the epoch", value);
}

function parseOne(path: string, value: unknown, name: string): ScheduleDefinition {
  const { get, path: at } = readMembers(path, typeof value === "string" ? { cron: value } : value, KEYS);
  const cron = get("cron");
  if (typeof cron !== "string") throw refuse(at("cron"), "a cron text", cron);
  const input = get("input");
  const definition = {
    name: parseText(at("name"), get("name"), name),
    cron,
    timezone: parseText(at("timezone"), get("timezone"), DEFAULTS.timezone),
    input: input === undefined ? null : JSON.stringify(input),
    catchUp: parseWord(at("catchUp"), get("catchUp"), CATCH_UPS) ?? DEFAULTS.catchUp,
    overlap: parseWord(at("overlap"), get("overlap"), OVERLAPS) ?? DEFAULTS.overlap,
    endAt: parseEnd(at("endAt"), get("endAt")),
  };
  const refuseHere: Refuse = (member, rule, wrong) =>
    refuse(typeof value === "string" ? path : at(member), rule, wrong);
  checkDefinition(definition, refuseHere);
  return Object.freeze(definition);
}

/** Parses `config.schedule`: a cron text, an object, or a list of them; the first is named "default", others "schedule-2" and so on. */
export function parseSchedules(value: unknown): readonly ScheduleDefinition[] {
  if (value === undefined) return [];
  const path = "config.schedule";
  const isList = Array.isArray(value);
  const items: readonly unknown[] = isList ? value : [value];
  if (items.length > MAX_SCHEDULES) throw refuse(path, `a list of at most ${MAX_SCHEDULES}`, items.length);
  const names = new Set<string>();
  const schedules = items.map((item, i) => {
    const at = isList ? `${path}[${i}]` : path;
    const schedule = parseOne(at, item, i === 0 ? DEFAULTS.name : `schedule-${i + 1}`);
    if (names.has(schedule.name)) throw refuse(`${at}.name`, "unique within the workflow", schedule.name);
    names.add(schedule.name);
    return schedule;
  });
  return Object.freeze(schedules);
}
