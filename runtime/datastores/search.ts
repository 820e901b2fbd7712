import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { type Living, livingRows } from "./layout.ts";
import type { Search } from "./search-params.ts";

/** A row found, and how well it fits: larger is better. */
export interface Found {
  readonly row: number;
  readonly score: number;
}

/** Constant of reciprocal rank fusion: how little the first places differ. */
const RRF = 60;
/** Rows of each list that a hybrid search looks at, at least. */
const MIN_CANDIDATES = 100;

type Rows = readonly (readonly SQLOutputValue[])[];

/** Runs one of our statements and returns the rows as arrays. */
function rowsOf(db: DatabaseSync, sql: string, values: readonly (string | number | Uint8Array)[]): Rows {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement.all(...values) as unknown as Rows;
}

const toFound = (rows: Rows): Found[] => rows.map(([row, score]) => ({ row: Number(row), score: Number(score) }));

function byExpression(
  db: DatabaseSync,
  living: Living,
  search: Search,
  [expression, max]: readonly [string, number],
): Found[] {
  const { filter } = search;
  // CROSS JOIN keeps SQLite from asking the word index once for each row of the filter.
  const join = filter === null ? "" : " CROSS JOIN main.records AS r ON r._row = words.rowid";
  const where = filter === null ? "" : ` AND ${filter.sql}`;
  const sql = `SELECT words.rowid, -bm25(words) AS score FROM main.words${join}
    WHERE words MATCH ? AND ${livingRows("words.rowid", living)}${where} ORDER BY score DESC, words.rowid LIMIT ?`;
  return toFound(rowsOf(db, sql, [expression, ...(filter?.values ?? []), max]));
}

/** Records with all words, best first; behind them, while there is room, those with any of them. */
function byKeywords(db: DatabaseSync, living: Living, search: Search, max: number): readonly Found[] {
  if (search.keywords === null) return [];
  const { all, any } = search.keywords;
  const whole = byExpression(db, living, search, [all, max]);
  if (any === null || whole.length >= max) return whole;
  const seen = new Set(whole.map(({ row }) => row));
  const some = byExpression(db, living, search, [any, max]);
  return [...whole, ...some.filter(({ row }) => !seen.has(row))].slice(0, max);
}

function byVector(db: DatabaseSync, living: Living, search: Search, max: number): readonly Found[] {
  const { filter, vector } = search;
  if (vector === null) return [];
  const join = filter === null ? "" : " JOIN main.records AS r ON r._row = v.row";
  const where = filter === null ? "" : ` AND ${filter.sql}`;
  // A vector of zeros has no direction: its distance is NULL and it is near nothing.
  const sql = `SELECT row, 1 - distance FROM (SELECT v.row AS row, vec_distance_cosine(v.vector, ?) AS distance
    FROM main.vectors AS v${join} WHERE ${livingRows("v.row", living)}${where})
    WHERE distance IS NOT NULL ORDER BY distance, row LIMIT ?`;
  return toFound(rowsOf(db, sql, [vector, ...(filter?.values ?? []), max]));
}

/** Joins ranked lists: each gives a row 1/(60+rank). */
export function fuse(lists: readonly (readonly Found[])[]): readonly Found[] {
  const scores = new Map<number, number>();
  for (const list of lists)
    for (const [at, { row }] of list.entries()) scores.set(row, (scores.get(row) ?? 0) + 1 / (RRF + at + 1));
  const found = [...scores].map(([row, score]) => ({ row, score }));
  return found.toSorted((one, other) => other.score - one.score || one.row - other.row);
}

function ranked(db: DatabaseSync, living: Living, search: Search): readonly Found[] {
  const wanted = search.offset + search.topK;
  if (search.mode === "keyword") return byKeywords(db, living, search, wanted);
  if (search.mode === "vector") return byVector(db, living, search, wanted);
  const depth = Math.max(MIN_CANDIDATES, 2 * wanted);
  return fuse([byKeywords(db, living, search, depth), byVector(db, living, search, depth)]);
}

/** The rows that a search finds, best first. Vector and hybrid searches need the functions of sqlite-vec. */
export function findRows(db: DatabaseSync, living: Living, search: Search): readonly Found[] {
  const found = ranked(db, living, search).slice(search.offset, search.offset + search.topK);
  return found.filter(({ score }) => score >= search.minScore);
}
