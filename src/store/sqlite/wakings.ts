import type { Shortage, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";
import { revisionOf } from "./reservations.ts";
import type { Writer } from "./writer.ts";

/** Whom to tell that more was given: whoever waits for a pool of the account, or (`root`) below one call from outside. */
interface Told {
  readonly accountId: string;
  readonly root: string | null;
}

interface Waking extends Told {
  readonly number: number;
  readonly after: number;
}

const ADD = "INSERT INTO wakings (account_id, root, after) VALUES (?, ?, ?)";
const REMOVE = "DELETE FROM wakings WHERE account_id = ? AND root IS ?";
const FIRST =
  "SELECT number, account_id AS accountId, root, after FROM wakings WHERE number > 0 ORDER BY number LIMIT 1";
const IN_TREE =
  "SELECT execution FROM shortages INDEXED BY shortages_by_root WHERE root = ? AND execution > ? ORDER BY execution LIMIT ?";
const IN_POOLS = `SELECT execution FROM shortages INDEXED BY shortages_of_pools
  WHERE account_id = ? AND pooled = 1 AND execution > ? ORDER BY execution LIMIT ?`;
// Its timeout counts anew, as that of any run that is resumed.
const WAKE = `UPDATE executions SET ready = 1, resumed_at = ? WHERE number = ? AND status = ${STATUS.waiting}`;
const LACKS = `SELECT s.detail FROM executions e JOIN shortages s ON s.execution = e.number
  WHERE e.id = ? AND e.account_id = ? AND e.status = ${STATUS.waiting}`;
const NO_LONGER_SHORT = "DELETE FROM shortages WHERE execution = ?";

/** Notes that more was given: those that wait for it are woken in portions by {@link createWakings}. */
export function addWaking(db: Database, { accountId, root }: Told): void {
  // One from the beginning does for an earlier one that is not through.
  db.run(REMOVE, accountId, root);
  db.run(ADD, accountId, root, 0);
}

function wakeSome(db: Database, { limit, now }: Parameters<Store["wakeFunded"]>[0]): boolean {
  const waking = db.get<Waking>(FIRST);
  if (waking === undefined) return false;
  const { accountId, root, after } = waking;
  const rows = db.all<{ readonly execution: number }>(
    root === null ? IN_POOLS : IN_TREE,
    root ?? accountId,
    after,
    limit,
  );
  for (const { execution } of rows) {
    db.run(WAKE, now, execution);
    db.run(NO_LONGER_SHORT, execution);
  }
  db.run(REMOVE, accountId, root);
  const last = rows.at(-1)?.execution;
  // Behind those of others, who wait as well.
  if (last !== undefined && rows.length === limit) db.run(ADD, accountId, root, last);
  return true;
}

/** Who waits for money, and is told that there is more. */
export function createWakings(db: Database, writer: Writer): Pick<Store, "wakeFunded" | "readShortage"> {
  return {
    async wakeFunded(params) {
      if (db.get(FIRST) === undefined) return false;
      return writer.write(() => wakeSome(db, params));
    },
    async readShortage({ accountId, executionId }) {
      const row = db.get<{ readonly detail: string }>(LACKS, executionId, accountId);
      if (row === undefined) return null;
      // What was given since was for others: nothing of it ended this shortage.
      const shortage = { ...(JSON.parse(row.detail) as Shortage), revision: revisionOf(db, accountId) };
      return { shortage, pending: db.get(FIRST) !== undefined };
    },
  };
}
