import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Limits } from "../limits.ts";
import { badArgument, overLimit, shown, wholeNumber } from "./complain.ts";
import { compileFilter } from "./filter.ts";
import { type Living, livingRows } from "./layout.ts";
import { MAX_GET_IDS, MAX_PAGE } from "./limits.ts";
import { type OpenFile, openFile } from "./open-file.ts";
import { type RecordText, recordText } from "./record-text.ts";
import { findRows } from "./search.ts";
import { parseFields, parseSearch } from "./search-params.ts";
import type { DatastoreReader, Filter, RevisionFacts, ScanParams, SearchParams } from "./types.ts";

/** Bytes at which a page of a scan ends, so that pages of large records stay small. */
const PAGE_BYTES = 1024 * 1024;
/** Page cache of a reader, in KiB. */
const CACHE_KIB = 16 * 1024;

/** Revisions whose rows a reader remembers. */
const MAX_REMEMBERED = 64;

/** How a file is read. */
export interface ReaderOptions {
  readonly limits: Pick<Limits, "maxResultBytes">;
  /** Gives a connection the functions for searches by vector; null: there are none. */
  readonly vectors: ((db: DatabaseSync) => void) | null;
}

type Row = readonly SQLOutputValue[];

/** Opens a file for reading; throws NOT_FOUND when it does not exist. Synchronous, so not for a server's thread. */
export function openReader(file: string, options: ReaderOptions): DatastoreReader {
  return new Reader(file, options);
}

class Reader implements DatastoreReader {
  readonly #open: OpenFile;
  readonly #db: DatabaseSync;
  readonly #maxResultBytes: number;
  readonly #whole: RecordText;
  readonly #get: StatementSync;
  readonly #remembered = new Map<number, Living>();

  constructor(file: string, { limits, vectors }: ReaderOptions) {
    this.#maxResultBytes = limits.maxResultBytes;
    this.#open = openFile(file, { readOnly: true, allowExtension: vectors !== null });
    this.#db = this.#open.db;
    vectors?.(this.#db);
    this.#db.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY;`);
    this.#whole = recordText(this.#open.layout.cells);
    this.#get = this.#prepare(
      `SELECT ${this.#whole.columns.join(", ")}, (SELECT revision FROM main.removed WHERE row = _row)
       FROM main.records WHERE id = ? AND _row <= ? ORDER BY _row DESC LIMIT 1`,
    );
  }

  get schema() {
    return this.#open.layout.schema;
  }

  get(revision: number, ids: readonly string[]): (string | null)[] {
    if (!Array.isArray(ids)) throw badArgument(`ids must be a list, got ${shown(ids)}`, { field: "ids" });
    if (ids.length > MAX_GET_IDS) throw overLimit("ids", "maxGetIds", MAX_GET_IDS, ids.length);
    const { lastRow } = this.#living(revision);
    let bytes = 0;
    return ids.map((id) => {
      if (typeof id !== "string") throw badArgument(`id must be a text, got ${shown(id)}`, { field: "id" });
      const row = this.#get.get(id, lastRow) as Row | undefined;
      const removedAt = row?.at(-1) ?? null;
      if (row === undefined || (removedAt !== null && Number(removedAt) <= revision)) return null;
      const text = this.#whole.data(row);
      bytes += text.length;
      this.#checkBytes(bytes);
      return text;
    });
  }

  count(revision: number, filter?: Filter): number {
    const living = this.#living(revision);
    const where = compileFilter(filter, this.#open.layout);
    if (where === null) return living.rows;
    const sql = `SELECT count(*) FROM main.records AS r WHERE ${livingRows("r._row", living)} AND ${where.sql}`;
    return Number((this.#prepare(sql).get(...where.values) as unknown as Row)[0]);
  }

  scan(revision: number, params: ScanParams): string {
    const living = this.#living(revision);
    const where = compileFilter(params.filter, this.#open.layout);
    const limit = wholeNumber(params.limit, "limit", [1, MAX_PAGE], 100);
    const after = wholeNumber(params.after, "after", [0, Number.MAX_SAFE_INTEGER], 0);
    const text = recordText(parseFields(params.fields, this.#open.layout));
    const sql = `SELECT ${text.columns.join(", ")}, _row FROM main.records AS r
      WHERE _row > ? AND ${livingRows("r._row", living)}${where === null ? "" : ` AND ${where.sql}`} ORDER BY _row LIMIT ?`;
    const rows = this.#prepare(sql).iterate(after, ...(where?.values ?? []), limit + 1);
    return this.#page(rows as unknown as Iterable<Row>, limit, text);
  }

  #page(rows: Iterable<Row>, limit: number, text: RecordText): string {
    const records: string[] = [];
    let bytes = 0;
    let last = 0;
    for (const row of rows) {
      if (records.length === limit || bytes > PAGE_BYTES) return `{"records":[${records.join(",")}],"after":${last}}`;
      const record = text.record(row, "");
      bytes += record.length;
      this.#checkBytes(bytes);
      records.push(record);
      last = Number(row.at(-1));
    }
    return `{"records":[${records.join(",")}],"after":null}`;
  }

  search(revision: number, params: SearchParams): string {
    const living = this.#living(revision);
    const search = parseSearch(params, this.#open.layout);
    const text = recordText(search.cells);
    const find = this.#prepare(`SELECT ${text.columns.join(", ")} FROM main.records WHERE _row = ?`);
    let bytes = 0;
    const hits = findRows(this.#db, living, search).map(({ row, score }) => {
      const hit = text.record(find.get(row) as unknown as Row, `"score":${score},`);
      bytes += hit.length;
      this.#checkBytes(bytes);
      return hit;
    });
    return `[${hits.join(",")}]`;
  }

  describe(revision: number): RevisionFacts {
    const { rows } = this.#living(revision);
    const removed = this.#prepare("SELECT count(*) FROM main.removed").get() as unknown as Row;
    const pages = this.#prepare("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").get();
    const bytes = Number((pages as unknown as Row)[0]);
    return { schema: this.schema, revision, rows, deadRows: Number(removed[0]), bytes };
  }

  close(): void {
    this.#db.close();
  }

  /** A revision that is read is published, and so does not change any more. */
  #living(revision: number): Living {
    const known = this.#remembered.get(revision);
    if (known !== undefined) return known;
    const living = this.#open.living(revision);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(revision, living);
    return living;
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  }

  /** Characters stand for bytes here: never more of them, and counted without looking at each. */
  #checkBytes(bytes: number): void {
    if (bytes > this.#maxResultBytes) throw overLimit("result: bytes", "maxResultBytes", this.#maxResultBytes, bytes);
  }
}
