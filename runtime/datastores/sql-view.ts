import { randomBytes } from "node:crypto";
import { constants, type DatabaseSync } from "node:sqlite";
import { type Layout, type Living, livingRows } from "./layout.ts";
import { ALLOWED_FUNCTIONS } from "./sql-functions.ts";

const { SQLITE_OK, SQLITE_DENY, SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_RECURSIVE } = constants;

/** Table-valued functions that a user's SQL may read. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(["json_each", "json_tree"]);
/** Names that SQLite or its modules give to tables. */
const SYSTEM_TABLE = /^(sqlite_|pragma_|fts5|dbstat|bytecode|tables_used)/i;
/** Tables under the view of a revision. */
const TABLES: ReadonlySet<string> = new Set(["records", "removed"]);

/** Page cache of a query, in KiB. */
const CACHE_KIB = 16 * 1024;

/** A name as SQL takes it, whatever is in it. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Says why SQL was refused; null when it was not. */
export interface Guard {
  refusal(): string | null;
}

/** Columns as the user knows them; an id that is not one of them comes first, as `id`. */
function columnsOf({ cells, schema }: Layout): string {
  const columns = cells.map(({ name, sql }) => `r.${sql} AS ${quoted(name)}`);
  return [...(schema.idField === null ? ["r.id AS id"] : []), ...columns].join(", ");
}

/** What a query shows. */
export interface Shown {
  readonly file: string;
  readonly living: Living;
  /** Of the datastore. */
  readonly name: string;
}

/**
 * Makes a revision visible as `records` and under the datastore's name, and nothing else: from then on the connection
 * refuses every statement but reads of these. The file is attached once more, and only our view reads it there: neither
 * the name of that database nor that of the view can be guessed, so the tables below it cannot be read past it.
 */
export function showRevision(db: DatabaseSync, layout: Layout, { file, living, name }: Shown): Guard {
  const secret = randomBytes(16).toString("hex");
  const database = `file_${secret}`;
  const view = `revision_${secret}`;
  db.prepare(`ATTACH ? AS ${database}`).run(file);
  db.exec(`PRAGMA ${database}.cache_size = -${CACHE_KIB}`);
  const rows = livingRows("r._row", living, database);
  db.exec(`CREATE TEMP VIEW ${view} AS SELECT ${columnsOf(layout)} FROM ${database}.records AS r WHERE ${rows}`);
  const names = ["records", ...(isUsable(name) ? [name] : [])];
  for (const own of names) db.exec(`CREATE TEMP VIEW ${quoted(own)} AS SELECT * FROM temp.${view}`);
  cover(db, names);
  return guard(db, { database, view, views: new Set([...names, view]) });
}

/** Where only the number of rows is asked for, SQLite does not say whose: so no table can be meant by its name alone. */
function cover(db: DatabaseSync, names: readonly string[]): void {
  const taken = new Set(names.map((name) => name.toLowerCase()));
  for (const { name } of db.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table'").all()) {
    const table = String(name);
    if (!taken.has(table)) db.exec(`CREATE TEMP VIEW ${quoted(table)} AS SELECT * FROM main.${quoted(table)}`);
  }
}

// SQLite keeps these names to itself, and names differ by more than case.
const isUsable = (name: string): boolean =>
  !/^sqlite_/i.test(name) && name.toLowerCase() !== "records" && !name.includes("\0");

/** What SQLite asks about: the action, its two objects, the database, and the view or CTE that it is done through. */
type Question = readonly [number, string | null, string | null, string | null, string | null];

/** What there is to be seen. */
interface Scene {
  /** The file, as the view alone names it. */
  readonly database: string;
  /** The view that alone reads the tables. */
  readonly view: string;
  readonly views: ReadonlySet<string>;
}

function guard(db: DatabaseSync, scene: Scene): Guard {
  let refusal: string | null = null;
  db.setAuthorizer((...question: Question) => {
    const why = refusalOf(question, scene);
    refusal ??= why;
    return why === null ? SQLITE_OK : SQLITE_DENY;
  });
  return { refusal: () => refusal };
}

function refusalOf(question: Question, scene: Scene): string | null {
  const [action, first, second] = question;
  if (action === SQLITE_SELECT || action === SQLITE_RECURSIVE) return null;
  if (action === SQLITE_FUNCTION) {
    const name = (second ?? "").toLowerCase();
    return ALLOWED_FUNCTIONS.has(name) ? null : `the function ${name} is not available`;
  }
  if (action !== SQLITE_READ) return "only SELECT is allowed";
  return mayRead(question, scene) ? null : `the table ${first} is not available; the records are in "records"`;
}

function mayRead([, table, column, database, through]: Question, scene: Scene): boolean {
  if (table === null || TABLE_FUNCTIONS.has(table)) return true;
  if (database === "temp") return scene.views.has(table);
  // No column: only the number of rows is asked for, and SQLite does not say through what.
  if (database === scene.database) return TABLES.has(table) && (through === scene.view || column === "");
  // No database: a view's, or those of a name from a WITH.
  return database === null && column === "" && !SYSTEM_TABLE.test(table);
}
