/** Sleeps shorter than this keep their isolate, ms. */
const PARK_MS = 5_000;

/** Wake-up time of a sleep op (ms since the epoch); null for every other op. */
export function sleepUntil(op: string, args: string): number | null {
  if (op !== "sleep") return null;
  const until = (JSON.parse(args) as { until?: unknown } | null)?.until;
  return typeof until === "number" ? until : null;
}

/**
 * When an execution that waits for `ops` may next have something to do, if that is a long sleep away and before its
 * deadline (all ms since the epoch): it then gives its isolate up. Null: it stays.
 */
export function wakeTime(ops: Iterable<{ readonly until: number | null }>, deadlineAt: number | null): number | null {
  let wake = Number.POSITIVE_INFINITY;
  for (const { until } of ops) {
    if (until === null) return null;
    wake = Math.min(wake, until);
  }
  const tooSoon = wake - Date.now() < PARK_MS || (deadlineAt !== null && wake >= deadlineAt);
  return tooSoon ? null : wake;
}
