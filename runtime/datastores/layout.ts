import { fail } from "../errors.ts";
import type { Column, ColumnType, DatastoreSchema } from "./types.ts";

/** Version of the tables of a file; a file of another version is refused. */
export const FORMAT = 1;

/** A column of the schema with its place in the table `records`. */
export interface Cell extends Column {
  /** Name in SQL, made by us: a user's name never becomes part of a statement. */
  readonly sql: string;
}

/** How a schema lies in SQLite. */
export interface Layout {
  readonly schema: DatastoreSchema;
  readonly cells: readonly Cell[];
  readonly byName: ReadonlyMap<string, Cell>;
  /** Columns of `records` beside `_row`, in the order of the values that {@link createEncoder} makes. */
  readonly stored: readonly string[];
  /** Columns of the table `words`. */
  readonly words: readonly string[];
}

/** Types of columns in SQL. */
export const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  text: "TEXT",
  integer: "INTEGER",
  real: "REAL",
  boolean: "INTEGER",
  json: "TEXT",
};

/** A text id is stored once, as the id itself. */
const isTheId = (schema: DatastoreSchema, column: Column): boolean =>
  column.name === schema.idField && column.type === "text";

/** Names and places of a schema's columns. */
export function layoutOf(schema: DatastoreSchema): Layout {
  const cells = schema.columns.map((column, at): Cell => {
    return { ...column, sql: isTheId(schema, column) ? "id" : `c${at}` };
  });
  const byName = new Map(cells.map((cell) => [cell.name, cell]));
  const words = schema.textFields.map((name) => cellOf(byName, name).sql);
  return { schema, cells, byName, stored: ["id", ...own(cells).map(({ sql }) => sql)], words };
}

/** Columns that are not the id itself. */
export const own = (cells: readonly Cell[]): readonly Cell[] => cells.filter(({ sql }) => sql !== "id");

/** The place of a column that is known to exist. */
export function cellOf(byName: Layout["byName"], name: string): Cell {
  const cell = byName.get(name);
  if (cell === undefined) throw fail("INTERNAL", {}, new Error(`no column ${name}`));
  return cell;
}

const definition = ({ sql, type, nullable }: Cell): string => `${sql} ${SQL_TYPES[type]}${nullable ? "" : " NOT NULL"}`;

/**
 * The tables of a file. Rows are never changed and numbered in the order of writing, so a revision is the number of its
 * last row and the rows that had been removed by then.
 */
export function tablesOf({ cells, schema }: Layout): string {
  const columns = ["_row INTEGER PRIMARY KEY", "id TEXT NOT NULL", ...own(cells).map(definition)];
  return `
    CREATE TABLE datastore (format INTEGER NOT NULL, schema TEXT NOT NULL) STRICT;
    CREATE TABLE revisions (revision INTEGER PRIMARY KEY, last_row INTEGER NOT NULL, rows INTEGER NOT NULL) STRICT;
    CREATE TABLE records (${columns.join(", ")}) STRICT;
    CREATE TABLE removed (row INTEGER PRIMARY KEY, revision INTEGER NOT NULL) STRICT;
    ${schema.vector === null ? "" : "CREATE TABLE vectors (row INTEGER PRIMARY KEY, vector BLOB NOT NULL) STRICT;"}`;
}

/** The indexes: built at the end of an import, when all rows are there. */
export function indexesOf({ byName, schema, words }: Layout): readonly string[] {
  const filters = schema.filters.map((name) => cellOf(byName, name).sql).filter((sql) => sql !== "id");
  const keyword = [
    `CREATE VIRTUAL TABLE words USING fts5(${words.join(", ")}, content='records', content_rowid='_row', tokenize='unicode61 remove_diacritics 2')`,
    "INSERT INTO words(words) VALUES('rebuild')",
  ];
  return [
    "CREATE INDEX ids ON records(id)",
    "CREATE INDEX removed_at ON removed(revision)",
    ...filters.map((sql) => `CREATE INDEX by_${sql} ON records(${sql})`),
    ...(words.length > 0 ? keyword : []),
  ];
}

/**
 * Condition under which a row of `records` (its number in `row`) belongs to a revision; no user's text is in it.
 * `database` is the name under which the connection has the file.
 */
export function livingRows(row: string, { lastRow, revision, hasRemoved }: Living, database = "main"): string {
  if (!hasRemoved) return `${row} <= ${lastRow}`;
  return `${row} <= ${lastRow} AND ${row} NOT IN (SELECT row FROM ${database}.removed WHERE revision <= ${revision})`;
}

/** Which rows a revision has. */
export interface Living {
  readonly revision: number;
  readonly lastRow: number;
  readonly hasRemoved: boolean;
  readonly rows: number;
}
