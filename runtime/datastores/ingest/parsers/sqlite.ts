import { statSync } from "node:fs";
import { constants, DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Batch, Batches, Source } from "../batch.ts";
import { toColumnNames } from "../columns.ts";
import { badInput } from "../problem.ts";

/** A batch ends with whatever comes first. */
const BATCH_ROWS = 5_000;
const BATCH_CHARS = 4 * 1024 * 1024;

/** Times the size of the file that its values may be: pages that point in circles make endless rows. */
const MAX_GROWTH = 8;

/** Opens a file of a stranger: read-only, no write-ahead log or lock beside it, and nothing in its schema is trusted. */
function open({ path, format, limits }: Source): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  try {
    const db = new DatabaseSync(url, {
      readOnly: true,
      allowExtension: false,
      defensive: true,
      enableDoubleQuotedStringLiterals: false,
      limits: { length: limits.maxRecordBytes, attach: 0, triggerDepth: 1 },
    });
    db.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;");
    return db;
  } catch (error) {
    throw unreadable({ format }, error);
  }
}

function unreadable(place: { readonly format: Source["format"]; readonly row?: number }, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return badInput(place, { problem: `expected a SQLite database that can be read, SQLite says: ${reason}` });
}

interface Entry {
  readonly name: string;
  readonly kind: "table" | "view" | "virtual table";
}

/** Tables and views by name, read as plain rows: nothing of them is prepared or run. */
function entries(db: DatabaseSync, { format }: Source): readonly Entry[] {
  try {
    const sql = `SELECT name, CASE WHEN type = 'view' THEN 'view' WHEN rootpage > 0 THEN 'table' ELSE 'virtual table' END AS kind
      FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid LIMIT 10000`;
    return db.prepare(sql).all() as unknown as Entry[];
  } catch (error) {
    throw unreadable({ format }, error);
  }
}

const list = (names: readonly string[]) => {
  const shown = names.slice(0, 10).map((name) => JSON.stringify(name.slice(0, 80)));
  return names.length > shown.length ? `${shown.join(", ")}, …` : shown.join(", ");
};

/** Tables beside those that virtual tables keep their data in. */
function ownTables(found: readonly Entry[]): readonly string[] {
  const shadows = found.filter(({ kind }) => kind === "virtual table").map(({ name }) => `${name}_`);
  const isShadow = (name: string) => shadows.some((prefix) => name.startsWith(prefix));
  return found.filter(({ kind, name }) => kind === "table" && !isShadow(name)).map(({ name }) => name);
}

function chooseTable(found: readonly Entry[], { format, options }: Source): string {
  const tables = ownTables(found);
  if (options.table === null) {
    const [only] = tables;
    if (only !== undefined && tables.length === 1) return only;
    const problem =
      tables.length === 0
        ? "expected a table, the database has none"
        : `the database has ${tables.length} tables; the option \`table\` says which: ${list(tables)}`;
    throw badInput({ format }, { problem });
  }
  const entry = found.find(({ name }) => name === options.table);
  if (entry?.kind === "table") return entry.name;
  const problem =
    entry === undefined
      ? `there is no table of this name; there are: ${list(tables) || "none"}`
      : `expected a table, this is a ${entry.kind}; only tables are read`;
  throw badInput({ format }, { problem, value: options.table });
}

/** From here on, the connection reads that table and does nothing else. */
function allowOnly(db: DatabaseSync, table: string): void {
  db.setAuthorizer((action, first) => {
    if (action === constants.SQLITE_SELECT) return constants.SQLITE_OK;
    const reads = action === constants.SQLITE_READ && first === table;
    return reads ? constants.SQLITE_OK : constants.SQLITE_DENY;
  });
}

function toValue(cell: unknown): unknown {
  if (cell instanceof Uint8Array) return Buffer.from(cell.buffer, cell.byteOffset, cell.length).toString("base64");
  return cell;
}

const sizeOf = (cell: unknown) => (typeof cell === "string" ? cell.length : 8);

interface Table {
  readonly db: DatabaseSync;
  readonly name: string;
  readonly bytes: number;
}

function* readRows({ db, name }: Table, { format }: Source): Generator<{ columns: string[]; row: unknown[] }> {
  let row = 0;
  try {
    const statement = db.prepare(`SELECT * FROM "${name.replaceAll('"', '""')}"`);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    const columns = statement.columns().map(({ name: column }) => column);
    for (const cells of statement.iterate() as Iterable<unknown>) {
      row++;
      yield { columns, row: (cells as unknown[]).map(toValue) };
    }
  } catch (error) {
    throw unreadable(row === 0 ? { format } : { format, row: row + 1 }, error);
  }
}

async function* readBatches(table: Table, source: Source): AsyncGenerator<Batch> {
  const { format, limits } = source;
  let columns: readonly string[] | null = null;
  let rows: unknown[][] = [];
  let before = 0;
  let chars = 0;
  let all = 0;
  const batch = (): Batch => {
    const first = before + 1;
    before += rows.length;
    const bytes = Math.min(table.bytes, all);
    return { columns: columns ?? [], rows, bytes, locate: (index) => ({ format, row: first + index }) };
  };
  for (const { columns: names, row } of readRows(table, source)) {
    columns ??= toColumnNames(names, { format }, limits);
    rows.push(row);
    for (const cell of row) chars += sizeOf(cell);
    if (rows.length < BATCH_ROWS && chars < BATCH_CHARS) continue;
    all += chars;
    checkGrowth(all, before, table, source);
    yield batch();
    rows = [];
    chars = 0;
  }
  if (rows.length > 0) yield batch();
}

function checkGrowth(chars: number, row: number, { bytes }: Table, { format }: Source): void {
  if (chars <= bytes * MAX_GROWTH + BATCH_CHARS * 2) return;
  const problem = `the table has more than the file can hold (${bytes} bytes); the file is damaged`;
  throw badInput({ format, row: row + 1 }, { problem });
}

async function* readTable(source: Source): AsyncGenerator<Batch> {
  const bytes = statSync(source.path).size;
  const db = open(source);
  try {
    const name = chooseTable(entries(db, source), source);
    allowOnly(db, name);
    yield* readBatches({ db, name, bytes }, source);
  } finally {
    db.close();
  }
}

/** SQLite: the rows of one table; BLOBs become base64. */
export function parseSqlite(source: Source): Batches {
  return { lexical: false, warnings: [], [Symbol.asyncIterator]: () => readTable(source) };
}
