import { fail } from "../../../../runtime/index.ts";

/** When a call is to begin, as its body says. */
export interface BeginFields {
  readonly delay_seconds?: number | null;
  readonly run_at?: string | number | null;
}

/** JSON Schemas of the fields. */
export const BEGIN_FIELDS = {
  delay_seconds: {
    type: ["number", "null"],
    minimum: 0,
    description: "Background only: begin not before so many seconds from now.",
  },
  run_at: {
    type: ["string", "number", "null"],
    description: "Background only: begin not before this time, ISO 8601 with a time zone or seconds since the epoch.",
  },
} as const;

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

function invalid(param: string, message: string): Error {
  return fail("INVALID_REQUEST", { message: `${param}: ${message}`, code: "invalid_request", param });
}

/** Milliseconds since the epoch at which a call is to begin, null = at once; INVALID_REQUEST naming field, rule and value. */
export function toRunAt({ delay_seconds: delay, run_at: at }: BeginFields): number | null {
  const hasDelay = delay !== undefined && delay !== null;
  if (at === undefined || at === null) return hasDelay ? Date.now() + delay * 1_000 : null;
  if (hasDelay) throw invalid("run_at", "cannot be combined with delay_seconds; give one");
  const ms = typeof at === "number" ? at * 1_000 : ISO.test(at) ? Date.parse(at) : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const shown = JSON.stringify(typeof at === "string" ? at.slice(0, 100) : at);
  throw invalid("run_at", `must be an ISO 8601 time with a time zone or seconds since the epoch, got ${shown}`);
}
