import { type ErrorRecord, fail, toRecord } from "../errors.ts";
import type { JournalRecord } from "../execution.ts";

/** The recorded part of a resumed execution. */
export interface Replay {
  /** The record that differs from the op the guest makes at `pos`, as an error; null when they agree or nothing is recorded. */
  mismatch(pos: number, op: string, hash: string): ErrorRecord | null;
  /** True when the op at `pos` is finished in the journal. */
  finished(pos: number): boolean;
  /** Parts that a streaming op already delivered without finishing. */
  parts(pos: number): readonly string[];
  readonly records: readonly JournalRecord[];
}

/** Indexes the records of a resumed execution by op position. */
export function createReplay(records: readonly JournalRecord[]): Replay {
  const byPos = new Map<number, { op: string; hash: string; finished: boolean; parts: string[] }>();
  for (const { pos, op, hash, kind, payload } of records) {
    const known = byPos.get(pos) ?? { op, hash, finished: false, parts: [] };
    if (kind === "part") known.parts.push(payload);
    else known.finished = true;
    byPos.set(pos, known);
  }
  return {
    records,
    mismatch(pos, op, hash) {
      const known = byPos.get(pos);
      if (known === undefined || (known.op === op && known.hash === hash)) return null;
      const what = known.op === op ? "other arguments" : `${op} instead of ${known.op}`;
      const message = `Replay diverged at ctx call ${pos}: the script now makes ${what}.`;
      const recorded = { op: known.op, hash: known.hash };
      return toRecord(fail("REPLAY_DIVERGED", { message, position: pos, recorded, replayed: { op, hash } }));
    },
    finished: (pos) => byPos.get(pos)?.finished === true,
    parts: (pos) => byPos.get(pos)?.parts ?? [],
  };
}
