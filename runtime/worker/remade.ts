import { findOp } from "../capabilities/index.ts";
import type { ExecutionJob, JournalRecord } from "../execution.ts";
import type { Handler } from "../interceptors/interceptor.ts";
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

const isBare = ({ op, kind, payload }: JournalRecord): boolean =>
  kind === "result" && payload.startsWith(AGAIN) && findOp(op)?.again !== undefined;

/** What makes results again. */
interface Remaking {
  readonly dispatch: Handler;
  readonly link: RunLink;
}

async function remake(record: JournalRecord, job: ExecutionJob, { dispatch, link }: Remaking): Promise<JournalRecord> {
  const guard = createSecretGuard(job.hidden ?? job.secrets, job.seed);
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
  return { ...record, kind, payload: guard.hide(payload) };
}

/** The job with all results whole. One that cannot be made again is an error of its op. */
export async function withResults(job: ExecutionJob, remaking: Remaking): Promise<ExecutionJob> {
  if (!job.replay.some(isBare)) return job;
  const replay: JournalRecord[] = [];
  for (const record of job.replay) replay.push(isBare(record) ? await remake(record, job, remaking) : record);
  return { ...job, replay };
}
