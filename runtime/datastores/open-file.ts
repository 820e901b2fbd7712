import { DatabaseSync, type DatabaseSyncOptions } from "node:sqlite";
import { fail } from "../errors.ts";
import { FORMAT, type Layout, type Living, layoutOf } from "./layout.ts";
import type { DatastoreSchema } from "./types.ts";

/** How long a reader waits for a lock, which only recovery after a crash takes. */
const BUSY_MS = 5_000;

/** A connection to a file, with what the file says of itself. */
export interface OpenFile {
  readonly db: DatabaseSync;
  readonly layout: Layout;
  /** Which rows a revision has; throws NOT_FOUND. */
  living(revision: number): Living;
}

/** Opens a file that {@link createWriter} finished; throws NOT_FOUND when there is none. */
export function openFile(file: string, options: DatabaseSyncOptions): OpenFile {
  const db = connect(file, options);
  try {
    return inspect(db);
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

function connect(file: string, options: DatabaseSyncOptions): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: BUSY_MS, ...options });
  } catch (cause) {
    throw fail("NOT_FOUND", { message: "The datastore has no such revision." }, cause);
  }
}

function inspect(db: DatabaseSync): OpenFile {
  const row = db.prepare("SELECT format, schema FROM datastore").get();
  if (row?.["format"] !== FORMAT) throw fail("INTERNAL", {}, new Error(`format ${String(row?.["format"])}`));
  // Only our writer writes this table, and it checks the schema before.
  const layout = layoutOf(JSON.parse(String(row["schema"])) as DatastoreSchema);
  const find = db.prepare("SELECT last_row, rows FROM revisions WHERE revision = ?");
  const removed = db.prepare("SELECT 1 FROM removed WHERE revision <= ? LIMIT 1");
  return {
    db,
    layout,
    living(revision) {
      const found = Number.isSafeInteger(revision) ? find.get(revision) : undefined;
      if (found === undefined)
        throw fail("NOT_FOUND", { message: `The datastore has no revision ${revision}.`, revision });
      return {
        revision,
        lastRow: Number(found["last_row"]),
        hasRemoved: removed.get(revision) !== undefined,
        rows: Number(found["rows"]),
      };
    },
  };
}
