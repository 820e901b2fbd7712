import { type ErrorRecord, fail } from "../../../runtime/index.ts";
import type { DatastoreImport, DatastoreImportState, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { moveRow } from "./datastores.ts";
import type { Writer } from "./writer.ts";

interface ImportRow {
  readonly id: string;
  readonly account_id: string;
  readonly datastore_id: string;
  readonly payer: string | null;
  readonly format: string;
  readonly options: string;
  readonly definition: string;
  readonly bytes: number;
  readonly status: DatastoreImportState["status"];
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly revision: number | null;
  readonly rows: number | null;
  readonly warnings: string | null;
  readonly error: string | null;
  readonly tokens: number;
  readonly cost_usd: number;
  readonly created_at: number;
}

type Imports = Pick<
  Store,
  | "addDatastoreImport"
  | "findDatastoreImport"
  | "listDatastoreImports"
  | "reopenDatastoreImports"
  | "beginDatastoreImport"
  | "completeDatastoreImport"
  | "endDatastoreImport"
>;

const OPEN = "SELECT count(*) AS count FROM datastore_imports WHERE account_id = ? AND ended_at IS NULL";
const INSERT = `INSERT INTO datastore_imports (id, account_id, datastore_id, format, options, definition, bytes, created_at,
  payer) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM datastores WHERE id = ?3 AND account_id = ?2)`;
const FORGET_OLD = `DELETE FROM datastore_imports WHERE number IN (SELECT number FROM datastore_imports
  WHERE datastore_id = ? AND ended_at IS NOT NULL ORDER BY number DESC LIMIT -1 OFFSET ?)`;
const FIND = "SELECT * FROM datastore_imports WHERE id = ? AND datastore_id = ? AND account_id = ?";
const LIST = "SELECT * FROM datastore_imports WHERE datastore_id = ? AND account_id = ? ORDER BY number DESC LIMIT ?";
const REOPEN = `UPDATE datastore_imports INDEXED BY datastore_imports_open SET status = 'queued', started_at = NULL
  WHERE ended_at IS NULL`;
const ALL_OPEN = "SELECT * FROM datastore_imports INDEXED BY datastore_imports_open WHERE ended_at IS NULL";
const BEGIN = `UPDATE datastore_imports SET status = 'running', started_at = ?
  WHERE id = ? AND ended_at IS NULL AND status = 'queued'`;
const RUNNING = "SELECT * FROM datastore_imports WHERE id = ? AND status = 'running' AND ended_at IS NULL";
const REDEFINE = "UPDATE datastores SET definition = ? WHERE id = ?";
const COMPLETE = `UPDATE datastore_imports SET status = 'complete', ended_at = ?, revision = ?, rows = ?, warnings = ?,
  tokens = tokens + ?, cost_usd = cost_usd + ? WHERE id = ?`;
const END = `UPDATE datastore_imports SET status = ?, ended_at = ?, error = ?, tokens = tokens + ?, cost_usd = cost_usd + ?
  WHERE id = ? AND ended_at IS NULL`;

function toState(row: ImportRow): DatastoreImportState {
  const { status } = row;
  const startedAt = row.started_at ?? 0;
  const endedAt = row.ended_at ?? 0;
  switch (status) {
    case "queued":
      return { status };
    case "running":
      return { status, startedAt };
    case "complete": {
      const warnings = JSON.parse(row.warnings ?? "[]") as readonly string[];
      return { status, startedAt, endedAt, revision: row.revision ?? 0, rows: row.rows ?? 0, warnings };
    }
    case "failed":
    case "cancelled":
      return { status, endedAt, error: JSON.parse(row.error ?? "null") as ErrorRecord };
  }
}

const toImport = (row: ImportRow): DatastoreImport => ({
  id: row.id,
  accountId: row.account_id,
  datastoreId: row.datastore_id,
  payer: row.payer,
  format: row.format,
  options: row.options,
  definition: row.definition,
  bytes: row.bytes,
  createdAt: row.created_at,
  usage: { tokens: row.tokens, costUsd: row.cost_usd },
  state: toState(row),
});

function insert(db: Database, { item, max, keep }: Parameters<Store["addDatastoreImport"]>[0]): void {
  const { id, accountId, datastoreId, payer, format, options, definition, bytes, createdAt } = item;
  const count = db.get<{ count: number }>(OPEN, accountId)?.count ?? 0;
  if (count >= max) {
    const message = `imports: ${count} of the account have not ended, which is the limit (${max}, maxOpenImports)`;
    throw fail("RATE_LIMITED", { message, limit: "maxOpenImports", value: count });
  }
  const added = db.run(INSERT, id, accountId, datastoreId, format, options, definition, bytes, createdAt, payer);
  if (added === 0) throw fail("NOT_FOUND", { message: "The datastore was deleted.", code: "datastore_not_found" });
  db.run(FORGET_OLD, datastoreId, keep);
}

function complete(db: Database, params: Parameters<Store["completeDatastoreImport"]>[0]): boolean {
  const { importId, from, to, warnings, usage, now } = params;
  const row = db.get<ImportRow>(RUNNING, importId);
  if (row === undefined) return false;
  const { account_id: accountId, datastore_id: datastoreId, definition } = row;
  if (!moveRow(db, { accountId, datastoreId, from, to, now })) return false;
  db.run(REDEFINE, definition, datastoreId);
  db.run(COMPLETE, now, to.revision, to.rows, JSON.stringify(warnings), usage.tokens, usage.costUsd, importId);
  return true;
}

/** Imports of datastores: queued, running, ended. */
export function createDatastoreImports(db: Database, writer: Writer): Imports {
  return {
    addDatastoreImport: (params) => writer.write(() => insert(db, params)),
    async findDatastoreImport({ accountId, datastoreId, importId }) {
      const row = db.get<ImportRow>(FIND, importId, datastoreId, accountId);
      return row === undefined ? null : toImport(row);
    },
    async listDatastoreImports({ accountId, datastoreId, limit }) {
      return db.all<ImportRow>(LIST, datastoreId, accountId, limit).map(toImport);
    },
    async reopenDatastoreImports() {
      await writer.write(() => db.run(REOPEN));
      const open = db.all<ImportRow & { readonly number: number }>(ALL_OPEN);
      return open.toSorted((a, b) => a.number - b.number).map(toImport);
    },
    beginDatastoreImport: ({ importId, now }) => writer.write(() => db.run(BEGIN, now, importId) > 0),
    completeDatastoreImport: (params) => writer.write(() => complete(db, params)),
    endDatastoreImport: ({ importId, status, error, usage, now }) =>
      writer.write(() => db.run(END, status, now, JSON.stringify(error), usage.tokens, usage.costUsd, importId) > 0),
  };
}
