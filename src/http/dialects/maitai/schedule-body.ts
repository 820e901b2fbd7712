import { fail } from "../../../../runtime/index.ts";
import { CATCH_UPS, OVERLAPS, parseTime, SCHEDULE_NAME } from "../../../engine/schedules/definition.ts";
import type { ScheduleDefinition } from "../../../engine/types.ts";

/** Body of a new schedule or of a change, as its schema has checked it. */
export interface ScheduleBody {
  readonly name?: string;
  readonly cron?: string;
  readonly timezone?: string;
  readonly input?: unknown;
  readonly catch_up?: ScheduleDefinition["catchUp"];
  readonly overlap?: ScheduleDefinition["overlap"];
  readonly end_at?: string | number | null;
}

const RULES = {
  cron: {
    type: "string",
    description: "Five fields, or six with seconds, or a word such as `@daily`.",
    examples: ["0 7 * * 1-5"],
  },
  timezone: { type: "string", description: "IANA time zone, default UTC.", examples: ["Europe/Berlin"] },
  input: { description: "Any JSON; `ctx.input` of its runs." },
  catch_up: {
    type: "string",
    enum: CATCH_UPS,
    description:
      "Slots that passed while no server ran (over a minute late): none, the last one, or all (the last 1,000), one after another unless overlap is allow or cancel. Default skip.",
  },
  overlap: {
    type: "string",
    enum: OVERLAPS,
    description:
      "When the run of an earlier slot goes on: skip this one (default), start it as well, queue it, or cancel the earlier one.",
  },
  end_at: {
    type: ["string", "number", "null"],
    description: "No run from then on: ISO 8601 with a zone, or seconds since the epoch.",
  },
} as const;

/** JSON Schema of a new schedule. */
export const NEW_SCHEDULE_SCHEMA = {
  type: "object",
  required: ["workflow", "cron"],
  additionalProperties: false,
  properties: {
    workflow: { type: "string", description: "Ref name, number or UUID." },
    name: { type: "string", pattern: SCHEDULE_NAME, description: "Unique within the workflow; default `default`." },
    ...RULES,
    paused: { type: "boolean" },
  },
} as const;

/** JSON Schema of a change. */
export const SCHEDULE_CHANGE_SCHEMA = {
  type: "object",
  minProperties: 1,
  additionalProperties: false,
  properties: RULES,
} as const;

function endOf(value: string | number): number {
  const at = parseTime(value);
  if (at !== null) return at;
  const message = `end_at: must be ISO 8601 with a zone, or seconds since the epoch, got ${JSON.stringify(value).slice(0, 100)}`;
  throw fail("INVALID_REQUEST", { message, param: "end_at" });
}

/** The members of a schedule that a body names; INVALID_REQUEST for an end that is no time. */
export function toScheduleMembers(body: ScheduleBody): Partial<ScheduleDefinition> {
  const { name, cron, timezone, catch_up: catchUp, overlap, end_at: end } = body;
  return {
    ...(name === undefined ? {} : { name }),
    ...(cron === undefined ? {} : { cron }),
    ...(timezone === undefined ? {} : { timezone }),
    ...("input" in body ? { input: body.input === null ? null : JSON.stringify(body.input) } : {}),
    ...(catchUp === undefined ? {} : { catchUp }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(end === undefined ? {} : { endAt: end === null ? null : endOf(end) }),
  };
}
