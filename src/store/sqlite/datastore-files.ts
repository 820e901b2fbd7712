import type { DatastoreFile, Store } from "../store.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

interface FileRow {
  readonly account_id: string;
  readonly datastore_id: string;
  readonly base: number;
}

/** Pins looked at per step: keeps one turn of the event loop short. */
const PORTION = 500;

const ALL = "SELECT account_id, datastore_id, base FROM datastore_files";
const RETIRED = `SELECT account_id, datastore_id, base FROM datastore_files
  WHERE retired_at IS NOT NULL AND retired_at < ? ORDER BY retired_at`;
const PINS = `SELECT p.execution, coalesce(e.status, 9) AS status FROM datastore_pins p
  LEFT JOIN executions e ON e.number = p.execution WHERE p.datastore_id = ? AND p.base = ? LIMIT ?`;
const UNPIN = "DELETE FROM datastore_pins WHERE datastore_id = ? AND base = ? AND execution = ?";
const FORGET = "DELETE FROM datastore_files WHERE datastore_id = ? AND base = ? AND retired_at IS NOT NULL";
const LAST_LIVE_STATUS = 2;

const toFile = (row: FileRow): DatastoreFile => ({
  accountId: row.account_id,
  datastoreId: row.datastore_id,
  base: row.base,
});

/** True when an unfinished execution is pinned to a file; the pins of ended ones that stand before it are removed. */
async function isPinned(db: Database, writer: Writer, { datastoreId, base }: DatastoreFile): Promise<boolean> {
  for (;;) {
    const pins = db.all<{ execution: number; status: number }>(PINS, datastoreId, base, PORTION);
    const live = pins.findIndex(({ status }) => status <= LAST_LIVE_STATUS);
    const over = live < 0 ? pins : pins.slice(0, live);
    if (over.length > 0) {
      await writer.write(() => {
        for (const { execution } of over) db.run(UNPIN, datastoreId, base, execution);
      });
    }
    if (live >= 0) return true;
    if (pins.length < PORTION) return false;
  }
}

/** Files of datastores: in use, given up, forgotten. */
export function createDatastoreFiles(
  db: Database,
  writer: Writer,
): Pick<Store, "datastoreFiles" | "unusedDatastoreFiles" | "forgetDatastoreFile"> {
  return {
    async datastoreFiles() {
      return db.all<FileRow>(ALL).map(toFile);
    },
    async unusedDatastoreFiles({ before, limit }) {
      const unused: DatastoreFile[] = [];
      for (const row of db.all<FileRow>(RETIRED, before)) {
        if (unused.length === limit) break;
        const file = toFile(row);
        if (!(await isPinned(db, writer, file))) unused.push(file);
      }
      return unused;
    },
    async forgetDatastoreFile({ datastoreId, base }) {
      await writer.write(() => db.run(FORGET, datastoreId, base));
    },
  };
}
