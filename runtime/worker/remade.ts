import type { Scope } from "../capabilities/capability.ts";
import { findOp } from "../capabilities/index.ts";
import { type ErrorRecord, fromRecord } from "../errors.ts";
import type { ExecutionJob, JournalRecord } from "../execution.ts";
import type { Handler } from "../interceptors/interceptor.ts";
import type { ReplayRecord } from "../journal-record.ts";
import type { Call } from "./call.ts";
import type { RunLink } from "./run-options.ts";
import { createScope } from "./scope.ts";
import { createSecretGuard } from "./secrets.ts";

/** Beginning of what is kept of such a result: its arguments. No result of these ops begins like this. */
const AGAIN = '{"$again":';

/** What the journal keeps of a result: of a large one that an op can make again at any time, only how. */
export function keptOf(record: JournalRecord, args: () => string): JournalRecord {
  const { op, kind, payload } = record;
  const isRemade = kind === "result" && payload.length > (findOp(op)?.again ?? Number.POSITIVE_INFINITY);
  return isRemade ? { ...record, payload: `${AGAIN}${args()}}` } : record;
}

/** True for a record without its result. */
export const isBare = ({ op, kind, payload }: Pick<JournalRecord, "op" | "kind" | "payload">): boolean =>
  kind === "result" && payload.startsWith(AGAIN) && findOp(op)?.again !== undefined;

/** What makes results again. */
export interface Remaking {
  readonly job: ExecutionJob;
  readonly dispatch: Handler;
  readonly link: RunLink;
}

/** The record with its result. A replay that may go on elsewhere does so when that fails: what the guest saw was no error. */
export async function remake(record: ReplayRecord, { job, dispatch, link }: Remaking): Promise<ReplayRecord> {
  const guard = createSecretGuard(job.hidden ?? job.secrets, job.seed, job.handles);
  const { kind, payload } = await dispatch({
    pos: record.pos,
    name: record.op,
    // Secrets are hidden in what was kept: without them it would be another call.
    args: guard.reveal(record.payload.slice(AGAIN.length, -1)),
    now: record.at,
    scope: createScope(job, link),
    signal: new AbortController().signal,
    delivered: [],
    meter: () => undefined,
    hold: () => undefined,
    park: () => undefined,
    part: () => undefined,
  });
  if (kind === "error" && job.offline !== true) throw fromRecord(JSON.parse(payload) as ErrorRecord);
  return { ...record, kind, payload: guard.hide(payload) };
}

/** Does again what a replayed call left to its attempt alone (`Op.redo`). What fails shows in the call that needs it. */
export async function redo({ op, pos, args }: Pick<Call, "op" | "pos" | "args">, scope: Scope): Promise<void> {
  const known = findOp(op);
  if (known?.redo === undefined || scope.job.offline === true) return;
  try {
    await known.redo(known.parse(JSON.parse(args), scope), { scope, pos });
  } catch {
    // A call whose recorded result is an error has nothing to do again.
  }
}
