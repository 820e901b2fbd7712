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

/**
 * Makes a revision visible as `records` and under the datastore's name, and nothing else: from then on the connection
 * refuses every statement but reads of these. SQLite tells through which view a table is read, and the name of ours
 * cannot be guessed, so the tables below it cannot be read past it.
 */
export function showRevision(db: DatabaseSync, layout: Layout, [living, name]: readonly [Living, string]): Guard {
  const view = `revision_${randomBytes(16).toString("hex")}`;
  const names = [...new Set(["records", name])].filter((own) => own === "records" || isUsable(own));
  db.exec(
    `CREATE TEMP VIEW ${view} AS SELECT ${columnsOf(layout)} FROM main.records AS r WHERE ${livingRows("r._row", living)}`,
  );
  for (const own of names) db.exec(`CREATE TEMP VIEW ${quoted(own)} AS SELECT * FROM temp.${view}`);
  const tables = db.prepare("SELECT name FROM main.sqlite_master").all();
  return guard(db, { view, views: new Set([...names, view]), tables: new Set(tables.map(({ name }) => String(name))) });
}

// SQLite keeps these names to itself, and names differ by more than case.
const isUsable = (name: string): boolean =>
  !/^sqlite_/i.test(name) && name.toLowerCase() !== "records" && !name.includes("\0");

/** What SQLite asks about: the action, its two objects, the database, and the view or CTE that it is done through. */
type Question = readonly [number, string | null, string | null, string | null, string | null];

/** What there is to be seen and hidden. */
interface Scene {
  /** The view that alone reads the tables. */
  readonly view: string;
  readonly views: ReadonlySet<string>;
  /** All tables and indexes of the file. */
  readonly tables: ReadonlySet<string>;
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

function mayRead([, table, column, database, through]: Question, { view, views, tables }: Scene): boolean {
  if (table === null || TABLE_FUNCTIONS.has(table)) return true;
  if (database === "temp") return views.has(table);
  if (TABLES.has(table) && through === view) return true;
  // No column: only the number of rows is asked for. SQLite does not say then whose they are: a view's, a table's, or
  // (without a database) those of a name from a WITH.
  return (
    column === "" &&
    (database === null ? !tables.has(table) || TABLES.has(table) : TABLES.has(table)) &&
    !SYSTEM_TABLE.test(table)
  );
}
