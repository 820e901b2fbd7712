import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { WorkflowError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { badArgument, isObject, overLimit, shown } from "./complain.ts";
import { MAX_SQL_CHARS, MAX_SQL_PARAMS } from "./limits.ts";
import { openFile } from "./open-file.ts";
import { refuseCurrentTime } from "./sql-functions.ts";
import { type Guard, showRevision } from "./sql-view.ts";
import type { QueryParams, RevisionRef } from "./types.ts";

/** Limits of a query. */
export type QueryLimits = Pick<Limits, "maxDatastoreRows" | "maxResultBytes" | "maxRecordBytes" | "datastoreMemoryMb">;

/** SQLite's own numbers for these failures. */
const NO_MEMORY = 7;
const TOO_LARGE = 18;

const ROOM = 64 * 1024;

/**
 * Runs a user's SQL on one revision and returns the JSON text of a {@link QueryResult}. SQL that never ends is the
 * business of whoever can kill this process. Throws INVALID_ARGUMENT, LIMIT_EXCEEDED, NOT_FOUND.
 */
export function runQuery(ref: RevisionRef, params: QueryParams, limits: QueryLimits): string {
  const query = parseQuery(params);
  const { db, layout, living } = openFile(ref.file, { readOnly: true, allowExtension: false });
  try {
    db.exec("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF");
    refuseCurrentTime(db);
    const guard = showRevision(db, layout, { file: ref.file, living: living(ref.revision), name: params.name });
    Object.assign(db.limits, {
      length: Math.max(limits.maxRecordBytes, limits.maxResultBytes) + ROOM,
      attach: 0,
      likePatternLength: 1_000,
      compoundSelect: 100,
      variableNumber: MAX_SQL_PARAMS,
    });
    return explained(guard, limits, () => collect(prepareOne(db, query), query.values, limits));
  } finally {
    db.close();
  }
}

type Values = readonly SQLInputValue[] | Readonly<Record<string, SQLInputValue>>;

/** What a user sent, checked. */
interface Parsed {
  readonly sql: string;
  readonly values: Values;
}

function parseQuery({ sql, params = [] }: QueryParams): Parsed {
  if (typeof sql !== "string") throw badArgument(`sql must be a text, got ${shown(sql)}`, { field: "sql" });
  if (sql.length > MAX_SQL_CHARS) throw overLimit("sql: characters", "maxSqlChars", MAX_SQL_CHARS, sql.length);
  // SQLite reads up to the first NUL, so something else might run than what is checked here.
  if (sql.includes("\0")) throw badArgument("sql has a NUL character", { field: "sql" });
  if (!Array.isArray(params) && !isObject(params))
    throw badArgument(`params must be a list or an object, got ${shown(params)}`, { field: "params" });
  const entries = Object.entries(params);
  if (entries.length > MAX_SQL_PARAMS) throw overLimit("params", "maxSqlParams", MAX_SQL_PARAMS, entries.length);
  const values = entries.map(([key, value]): readonly [string, SQLInputValue] => [key, toBound(key, value)]);
  return { sql, values: Array.isArray(params) ? values.map(([, value]) => value) : Object.fromEntries(values) };
}

function toBound(key: string, value: unknown): SQLInputValue {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  throw badArgument(`params: ${shown(key)} must be a text, a number, true, false or null, got ${shown(value)}`, {
    field: key.slice(0, 80),
  });
}

function prepareOne(db: DatabaseSync, { sql, values }: Parsed): StatementSync {
  const statement = db.prepare(sql);
  const rest = sql.slice(statement.sourceSQL.length);
  if (!isBlank(rest)) throw badArgument("sql must be one statement", { field: "sql" });
  if (isList(values)) refuseMissing(statement, values);
  return statement;
}

const isList = (values: Values): values is readonly SQLInputValue[] => Array.isArray(values);

/** SQLite takes what is not bound for NULL, and says only of one value too many that there is no place for it. */
function refuseMissing(statement: StatementSync, values: readonly SQLInputValue[]): void {
  try {
    statement.iterate(...values, null);
  } catch {
    return;
  }
  throw badArgument(`params: ${values.length} values, and the sql has more parameters`, { field: "params" });
}

/** True when nothing but white space and comments is left, as SQLite sees it. */
function isBlank(sql: string): boolean {
  if (sql.trim() === "") return true;
  const blank = new DatabaseSync(":memory:");
  try {
    blank.prepare(sql);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "ERR_INVALID_ARG_VALUE";
  } finally {
    blank.close();
  }
}

/** Result columns by name; of those with the same name the later ones get a number, as SQLite does it. */
function namesOf(statement: StatementSync): readonly string[] {
  const seen = new Set<string>();
  return statement.columns().map(({ name }) => {
    let own = name;
    for (let number = 1; seen.has(own); number++) own = `${name}:${number}`;
    seen.add(own);
    return own;
  });
}

function collect(statement: StatementSync, values: Values, limits: QueryLimits): string {
  statement.setReturnArrays(true);
  statement.setReadBigInts(true);
  const names = namesOf(statement);
  const keys = names.map((name, at) => `${at === 0 ? "" : ","}${JSON.stringify(name)}:`);
  const iterate = isList(values) ? statement.iterate(...values) : statement.iterate(values);
  const rows: string[] = [];
  let bytes = 0;
  for (const row of iterate as unknown as Iterable<readonly SQLOutputValue[]>) {
    if (rows.length === limits.maxDatastoreRows)
      throw overLimit("rows of the query (add LIMIT)", "maxDatastoreRows", limits.maxDatastoreRows, rows.length + 1);
    const text = `{${keys.map((key, at) => key + toJson(row[at] ?? null)).join("")}}`;
    bytes += text.length;
    if (bytes > limits.maxResultBytes) throw overLimit("result: bytes", "maxResultBytes", limits.maxResultBytes, bytes);
    rows.push(text);
  }
  return `{"columns":${JSON.stringify(names)},"rows":[${rows.join(",")}]}`;
}

/** A value of a result as JSON text; what JSON has no number for becomes text, infinities null. */
function toJson(value: SQLOutputValue): string {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? String(number) : `"${value}"`;
  }
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString("base64"));
  return JSON.stringify(value);
}

/** Turns what SQLite says into errors of ours. */
function explained(guard: Guard, { datastoreMemoryMb, maxResultBytes }: QueryLimits, run: () => string): string {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof WorkflowError) throw thrown;
    const { message, errcode, code } = thrown as Error & { readonly errcode?: number; readonly code?: string };
    if (errcode === NO_MEMORY) throw overLimit("memory of the query in MiB", "datastoreMemoryMb", datastoreMemoryMb);
    if (errcode === TOO_LARGE) throw overLimit("one value of the query: bytes", "maxResultBytes", maxResultBytes);
    const why = guard.refusal() ?? (code === "ERR_INVALID_ARG_VALUE" ? "there is no statement" : message);
    throw badArgument(`sql: ${why}`, { field: "sql" });
  }
}
