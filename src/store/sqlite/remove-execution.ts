import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import { spendReserved } from "./reservations.ts";
import type { Writer } from "./writer.ts";

interface Found {
  readonly number: number;
  readonly id: string;
  readonly workflow_id: string;
  readonly status: number;
}

/** Rows removed per transaction: keeps one turn of the event loop short. */
const PORTION = 500;
const LAST_LIVE_STATUS = 2;

const FIND = "SELECT number, id, workflow_id, status FROM executions WHERE id = ? AND account_id = ?";
const CHILD = `SELECT number, id, workflow_id, status FROM executions INDEXED BY executions_by_parent
  WHERE parent_id = ? LIMIT 1`;
const RECORDS = [
  // From the end: what a crash leaves is the beginning of a journal, not one with a hole.
  "DELETE FROM journal WHERE rowid IN (SELECT rowid FROM journal WHERE execution = ? ORDER BY seq DESC LIMIT ?)",
  "DELETE FROM output WHERE rowid IN (SELECT rowid FROM output WHERE execution = ? ORDER BY kind DESC, last DESC LIMIT ?)",
];
const ROWS = [
  "DELETE FROM forks WHERE execution = ?",
  "DELETE FROM dropped_usage WHERE execution = ?",
  "DELETE FROM requests WHERE number = ?",
  // Its triggers take waits, gates and slots of schedules along.
  "DELETE FROM executions WHERE number = ?",
];
const KEY = "SELECT cache_key AS key FROM requests WHERE number = ? AND cache_key IS NOT NULL";
const UNCOUNT = "UPDATE counts SET count = count - 1 WHERE workflow_id = ? AND status = ?";

/** What was removed so far. */
interface Removal {
  readonly root: Found;
  readonly keys: string[];
  readonly results: boolean;
}

/** An execution below `from` that called no other; itself when it called none. */
function leafOf(db: Database, from: Found): Found {
  let leaf = from;
  for (;;) {
    const child = db.get<Found>(CHILD, leaf.id);
    if (child === undefined) return leaf;
    leaf = child;
  }
}

function removeRows(db: Database, { number, workflow_id: workflow, status }: Found, removal: Removal): void {
  const key = db.get<{ key: string }>(KEY, number)?.key;
  if (key !== undefined && removal.results) {
    removal.keys.push(key);
    db.run("DELETE FROM results WHERE key = ?", key);
  }
  spendReserved(db, number);
  for (const statement of ROWS) db.run(statement, number);
  db.run(UNCOUNT, workflow, status);
}

/** Removes one portion of an execution and those below it, the lowest first; true when nothing is left. */
function removePortion(db: Database, removal: Removal): boolean {
  const { root } = removal;
  for (let left = PORTION; left > 0; left--) {
    const leaf = leafOf(db, root);
    for (const statement of RECORDS) left -= db.run(statement, leaf.number, Math.max(1, left));
    if (left <= 0) return false;
    removeRows(db, leaf, removal);
    if (leaf.number === root.number) return true;
  }
  return false;
}

/** Removes an execution with all that belongs to it; null when it is unknown or has not ended. */
export async function removeExecution(
  db: Database,
  writer: Writer,
  { accountId, executionId, results }: Parameters<Store["removeExecution"]>[0],
): Promise<readonly string[] | null> {
  const root = db.get<Found>(FIND, executionId, accountId);
  if (root === undefined || root.status <= LAST_LIVE_STATUS) return null;
  const removal: Removal = { root, keys: [], results };
  const step = () => {
    // Someone may have resumed or removed it between two portions.
    const now = db.get<Found>(FIND, executionId, accountId);
    return now === undefined || now.status <= LAST_LIVE_STATUS || removePortion(db, removal);
  };
  while (!(await writer.write(step)));
  return removal.keys;
}
