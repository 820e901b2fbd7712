import { fail } from "../../../runtime/index.ts";
import type { Datastore, DatastoreRevision, Store } from "../store.ts";
import { type Database, sqliteCode } from "./database.ts";
import type { Writer } from "./writer.ts";

interface DatastoreRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly definition: string;
  readonly revision: number;
  readonly base: number;
  readonly schema: string | null;
  readonly rows: number;
  readonly bytes: number;
  readonly created_at: number;
  readonly updated_at: number;
}

type Datastores = Pick<
  Store,
  "addDatastore" | "findDatastore" | "listDatastores" | "removeDatastore" | "nextDatastoreBase" | "moveDatastore"
>;

const UNIQUE = 2067;
const INSERT = `INSERT INTO datastores (id, account_id, name, definition, created_at, updated_at)
  VALUES (?, ?, ?, ?, ?, ?)`;
const COUNT = "SELECT count(*) AS count FROM datastores WHERE account_id = ?";
const BY_ID = "SELECT * FROM datastores WHERE id = ? AND account_id = ?";
const BY_NAME = "SELECT * FROM datastores WHERE account_id = ? AND name = ?";
const LIST = "SELECT * FROM datastores WHERE account_id = ? ORDER BY name LIMIT ? OFFSET ?";
const REMOVE = "DELETE FROM datastores WHERE id = ? AND account_id = ?";
const RETIRE_ALL = "UPDATE datastore_files SET retired_at = ? WHERE datastore_id = ? AND retired_at IS NULL";
const REMOVE_IMPORTS = "DELETE FROM datastore_imports WHERE datastore_id = ?";
const NEXT_BASE = `UPDATE datastores SET next_base = next_base + 1 WHERE id = ? AND account_id = ?
  RETURNING next_base - 1 AS base`;
const MOVE = `UPDATE datastores SET revision = ?, base = ?, schema = ?, rows = ?, bytes = ?, updated_at = ?
  WHERE id = ? AND account_id = ? AND revision = ?`;
const ADD_FILE = `INSERT INTO datastore_files (datastore_id, base, account_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`;
const RETIRE_OTHERS = `UPDATE datastore_files SET retired_at = ?
  WHERE datastore_id = ? AND base <> ? AND retired_at IS NULL`;

function toDatastore(row: DatastoreRow): Datastore {
  const { revision, base, schema, rows, bytes } = row;
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    definition: row.definition,
    current: schema === null ? null : { revision, base, schema, rows, bytes },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Which datastore moves, and where. */
export interface Move {
  readonly accountId: string;
  readonly datastoreId: string;
  readonly from: number;
  readonly to: DatastoreRevision;
  readonly now: number;
}

/** Readers to come are at another revision; false when the datastore is gone or no longer at `from`. */
export function moveRow(db: Database, { accountId, datastoreId, from, to, now }: Move): boolean {
  const { revision, base, schema, rows, bytes } = to;
  const moved = db.run(MOVE, revision, base, schema, rows, bytes, now, datastoreId, accountId, from) > 0;
  if (!moved) return false;
  db.run(ADD_FILE, datastoreId, base, accountId);
  db.run(RETIRE_OTHERS, now, datastoreId, base);
  return true;
}

function insert(db: Database, { datastore, max }: Parameters<Store["addDatastore"]>[0]): void {
  const { id, accountId, name, definition, createdAt } = datastore;
  const count = db.get<{ count: number }>(COUNT, accountId)?.count ?? 0;
  if (count >= max) {
    const message = `datastores: the account has ${count}, which is the limit (${max})`;
    throw fail("RATE_LIMITED", { message, limit: "maxDatastores", value: count });
  }
  try {
    db.run(INSERT, id, accountId, name, definition, createdAt, createdAt);
  } catch (error) {
    if (sqliteCode(error) !== UNIQUE) throw error;
    throw fail("CONFLICT", { message: `There is a datastore ${JSON.stringify(name)} already.`, name }, error);
  }
}

/** Datastores of accounts, and which file their readers are at. */
export function createDatastores(db: Database, writer: Writer): Datastores {
  const find = (accountId: string, key: string): Datastore | null => {
    const row = db.get<DatastoreRow>(BY_NAME, accountId, key) ?? db.get<DatastoreRow>(BY_ID, key, accountId);
    return row === undefined ? null : toDatastore(row);
  };
  return {
    async addDatastore(params) {
      await writer.write(() => insert(db, params));
      return { ...params.datastore, current: null, updatedAt: params.datastore.createdAt };
    },
    async findDatastore({ accountId, key }) {
      return find(accountId, key);
    },
    async listDatastores({ accountId, limit, offset }) {
      const items = db.all<DatastoreRow>(LIST, accountId, limit, offset).map(toDatastore);
      return { items, total: db.get<{ count: number }>(COUNT, accountId)?.count ?? 0 };
    },
    removeDatastore: ({ accountId, datastoreId, now }) =>
      writer.write(() => {
        if (db.run(REMOVE, datastoreId, accountId) === 0) return false;
        db.run(RETIRE_ALL, now, datastoreId);
        db.run(REMOVE_IMPORTS, datastoreId);
        return true;
      }),
    nextDatastoreBase: ({ accountId, datastoreId }) =>
      writer.write(() => db.get<{ base: number }>(NEXT_BASE, datastoreId, accountId)?.base ?? null),
    moveDatastore: (params) => writer.write(() => moveRow(db, params)),
  };
}
