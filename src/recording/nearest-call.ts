import type { JournalRecord } from "../../runtime/index.ts";
import type { ComparedCall } from "./replay-recording.ts";

/** Characters of two texts that are the same at their beginning and at their end. */
function common(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start++;
  let end = 0;
  while (end < most - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return start + end;
}

/** The recorded call most like `call`: the same op, and arguments that share the most text; null when there is none of that op. */
export function nearestCall(records: readonly JournalRecord[], call: ComparedCall): ComparedCall | null {
  const args = call.args ?? "";
  let best: ComparedCall | null = null;
  let most = -1;
  for (const record of records) {
    if (record.op !== call.op || record.args === null) continue;
    const shared = common(record.args, args) / Math.max(record.args.length, args.length, 1);
    if (shared <= most) continue;
    most = shared;
    best = { op: record.op, hash: record.hash, args: record.args };
  }
  return best;
}
