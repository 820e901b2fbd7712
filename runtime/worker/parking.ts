import type { Sleep } from "../execution.ts";

/** Waits shorter than this keep their isolate, ms. */
const PARK_MS = 5_000;
/** Sleeps shown of one execution. */
const MAX_SLEEPS = 20;

/** An op that the guest waits for; `until` as its handler said, null while it needs an isolate. */
interface Awaited {
  readonly op: string;
  readonly until: number | null;
  /** True when it waits for want of money. */
  readonly isShort: boolean;
}

/** How an execution waits without an isolate. */
export interface Rest {
  /** When it may next have something to do, ms since the epoch; null: when an event or a decision comes. */
  readonly until: number | null;
  readonly sleeps: readonly Sleep[];
  /** True when a budget is what it waits for: its deadline counts anew afterwards. */
  readonly isShort: boolean;
}

/**
 * How an execution waits that awaits `ops` and nothing else, its clock at `now`: it then gives its isolate up. Null: it
 * stays, because an op needs it or something is due soon. It wakes at its deadline at the latest (all ms since the epoch).
 */
export function restOf(ops: Iterable<Awaited>, deadlineAt: number | null, now: number): Rest | null {
  let wake = Number.POSITIVE_INFINITY;
  let short = false;
  const sleeps: Sleep[] = [];
  for (const { op, until, isShort } of ops) {
    if (until === null) return null;
    wake = Math.min(wake, until);
    short ||= isShort;
    if (op === "sleep" && sleeps.length < MAX_SLEEPS) sleeps.push({ since: now, until });
  }
  if (!short) wake = Math.min(wake, deadlineAt ?? wake);
  if (wake - Date.now() < PARK_MS) return null;
  return { until: wake === Number.POSITIVE_INFINITY ? null : wake, sleeps, isShort: short };
}
