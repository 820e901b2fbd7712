import { type ErrorRecord, fail, toRecord } from "../errors.ts";
import type { ExecutionJob } from "../execution.ts";
import type { ReplayRecord } from "../journal-record.ts";
import { type MadeCall, toCompared } from "./offline.ts";

/** The recorded part of a resumed execution. */
export interface Replay {
  /** The record that differs from the op the guest makes, as an error; null when they agree or nothing is recorded. */
  mismatch(call: MadeCall): ErrorRecord | null;
  /** True when the op at `pos` is finished in the journal. */
  finished(pos: number): boolean;
  /** Parts that a streaming op already delivered without finishing. */
  parts(pos: number): readonly string[];
  readonly records: readonly ReplayRecord[];
}

type ReplayJob = Pick<ExecutionJob, "replay" | "offline" | "awaited">;

interface Recorded {
  readonly op: string;
  readonly hash: string;
  args: string | null;
  finished: boolean;
  readonly parts: string[];
}

/** Indexes the records of a job by op position, and what it waited for; offline a mismatch shows the arguments of both sides. */
export function createReplay({ replay: records, offline: compares = false, awaited = [] }: ReplayJob): Replay {
  const byPos = new Map<number, Recorded>();
  for (const { pos, op, hash, kind, payload, args } of records) {
    const known = byPos.get(pos) ?? { op, hash, args: null, finished: false, parts: [] };
    if (kind === "part") known.parts.push(payload);
    else known.finished = true;
    known.args ??= args;
    byPos.set(pos, known);
  }
  for (const { pos, op, hash, args } of awaited)
    if (!byPos.has(pos)) byPos.set(pos, { op, hash, args, finished: false, parts: [] });
  return {
    records,
    mismatch(call) {
      const { pos, op, hash } = call;
      const known = byPos.get(pos);
      if (known === undefined || (known.op === op && known.hash === hash)) return null;
      const what = known.op === op ? "other arguments" : `${op} instead of ${known.op}`;
      const message = `Replay diverged at ctx call ${pos}: the script now makes ${what}.`;
      const recorded = compares ? toCompared(known) : { op: known.op, hash: known.hash };
      const replayed = compares ? toCompared(call) : { op, hash };
      return toRecord(fail("REPLAY_DIVERGED", { message, position: pos, recorded, replayed }));
    },
    finished: (pos) => byPos.get(pos)?.finished === true,
    parts: (pos) => byPos.get(pos)?.parts ?? [],
  };
}
