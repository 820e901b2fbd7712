import { findOp } from "../capabilities/index.ts";
import { type ErrorRecord, fail, toRecord } from "../errors.ts";

/** A ctx call that a script makes, as a comparison shows it. */
export interface MadeCall {
  readonly pos: number;
  readonly op: string;
  readonly hash: string;
  /** JSON text. */
  readonly args: string;
}

/** Argument text kept in an error, in characters. */
const MAX_ARGS = 65_536;

/** A call as an error of an offline replay shows it. */
export function toCompared({ op, hash, args }: { op: string; hash: string; args: string | null }): object {
  return { op, hash, args: args === null ? null : args.slice(0, MAX_ARGS) };
}

/** Why an op cannot be made when nothing but the recording may answer; null for pure ops that simply run again. */
export function unrecorded(call: MadeCall): ErrorRecord | null {
  const { pos } = call;
  const op = findOp(call.op);
  if (op?.effect === "pure" && op.kept !== true) return null;
  const message = `Replay diverged at ctx call ${pos}: ${call.op} is not in the recording.`;
  return toRecord(fail("REPLAY_DIVERGED", { message, position: pos, replayed: toCompared(call) }));
}
