import { fail, toWorkflowError, type WorkflowError } from "../../../runtime/index.ts";
import { sqliteCode } from "./database.ts";

/** Primary result codes of SQLite for a disk that cannot be written. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [13, "The disk is full"],
  [8, "The disk can only be read"],
  [10, "The disk failed to write"],
]);

/** What a write of the store failed with: OVERLOADED where the disk is why, which is the operator's to mend and passes by itself then. */
export function toStoreError(error: unknown): WorkflowError {
  const reason = REASONS.get((sqliteCode(error) ?? 0) & 0xff);
  if (reason === undefined) return toWorkflowError(error);
  const message = `${reason}, so nothing could be stored. The server goes on by itself once it can write again.`;
  return fail("OVERLOADED", { message, retry_after: 10 }, error);
}
