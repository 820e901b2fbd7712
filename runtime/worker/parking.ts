import { type ErrorRecord, fail, toRecord } from "../errors.ts";
import type { AwaitedCall, ExecutionJob, Sleep } from "../execution.ts";
import { deadlineOf } from "./deadline.ts";
import { toCompared } from "./offline.ts";

/** Waits shorter than this keep their isolate, ms. */
const PARK_MS = 5_000;
/** Sleeps shown of one execution. */
const MAX_SLEEPS = 20;
/** Calls kept of one execution, and characters of the arguments of each. */
const MAX_CALLS = 100;
const MAX_ARGS = 200;

/** An op that the guest waits for; `until` as its handler said, null while it needs an isolate. */
interface Awaited {
  readonly pos: number;
  readonly op: string;
  readonly hash: string;
  readonly args: string;
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
  readonly calls: readonly AwaitedCall[] | null;
}

/** What a parked execution keeps of its calls; `redact` takes secrets out. */
function toCalls(ops: readonly Awaited[], redact: (args: string) => string): readonly AwaitedCall[] | null {
  if (ops.length > MAX_CALLS) return null;
  return ops.map(({ pos, op, hash, args }) => ({
    pos,
    op,
    hash,
    args: args.length > MAX_ARGS ? null : redact(args),
  }));
}

/** Whether the recorded run waited for the call at `pos`, so that its replay leaves it waiting. */
export const isAwaited = ({ awaited }: ExecutionJob, pos: number): boolean =>
  awaited?.some((call) => call.pos === pos) ?? false;

type Ops = ReadonlyMap<number, Awaited>;

/** A replay is as far as the run that waited once it waits for the same. */
function replayedRest(job: ExecutionJob, awaited: readonly AwaitedCall[], ops: Ops): Rest | ErrorRecord | null {
  for (const pos of ops.keys()) if (!isAwaited(job, pos)) return null;
  const lost = awaited.find(({ pos }) => !ops.has(pos));
  if (lost === undefined) return { until: null, sleeps: [], isShort: false, calls: awaited };
  const message = `Replay diverged at ctx call ${lost.pos}: the script no longer waits for ${lost.op}.`;
  return toRecord(fail("REPLAY_DIVERGED", { message, position: lost.pos, recorded: toCompared(lost), replayed: null }));
}

/**
 * How an execution waits that awaits `ops` and nothing else, its clock at `now`: it then gives its isolate up. Null: it
 * stays, because an op needs it or something is due soon. It wakes at its deadline at the latest (all ms since the epoch).
 * An error for a replay that does not wait for what the recorded run waited for. `redact` takes secrets out of arguments.
 */
export function restOf(
  job: ExecutionJob,
  ops: Ops,
  now: number,
  redact: (args: string) => string,
): Rest | ErrorRecord | null {
  if (job.awaited !== undefined) return replayedRest(job, job.awaited, ops);
  const deadlineAt = deadlineOf(job);
  let wake = Number.POSITIVE_INFINITY;
  let short = false;
  const sleeps: Sleep[] = [];
  for (const { op, until, isShort } of ops.values()) {
    if (until === null) return null;
    wake = Math.min(wake, until);
    short ||= isShort;
    if (op === "sleep" && sleeps.length < MAX_SLEEPS) sleeps.push({ since: now, until });
  }
  if (!short) wake = Math.min(wake, deadlineAt ?? wake);
  if (wake - Date.now() < PARK_MS) return null;
  const until = wake === Number.POSITIVE_INFINITY ? null : wake;
  return { until, sleeps, isShort: short, calls: toCalls([...ops.values()], redact) };
}
