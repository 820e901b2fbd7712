/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a cell may hold: `integer` within ±(2^53-1), `real` finite, `json` any JSON value, kept as text. */
export type ColumnType = "text" | "integer" | "real" | "boolean" | "json";

/** One field of the records. A record without the field and one with `null` are the same. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}

/** The vector of each record: a member of its data, or made from the text of `fields` by an embedding model. */
export interface VectorField {
  /** Its name; never also a column, so vectors are searched but not returned. */
  readonly field: string;
  readonly dimensions: number;
  readonly metric: "cosine";
  readonly source: "data" | { readonly fields: readonly string[]; readonly model: string };
}

/** The shape of a datastore's records; the same for all revisions in one file. */
export interface DatastoreSchema {
  /** Column (text or integer) that has the id; null: ids come beside the data, or are the record's number. */
  readonly idField: string | null;
  readonly columns: readonly Column[];
  /** Text columns that keyword search looks at. */
  readonly textFields: readonly string[];
  /** Columns with an index. Every column can be filtered by. */
  readonly filters: readonly string[];
  readonly vector: VectorField | null;
}

/** One revision of a datastore: the file that has it, and its number, which later changes of the file leave alone. */
export interface RevisionRef {
  readonly file: string;
  readonly revision: number;
}

/** One record to write. `id` may be left out where the data has it; `vector` where the data has it or none is wanted. */
export interface RecordInput {
  readonly id?: string;
  readonly data: { readonly [field: string]: unknown };
  readonly vector?: ArrayLike<number>;
}

/** One record as read. */
export interface DatastoreRecord {
  readonly id: string;
  readonly data: { readonly [field: string]: Json };
}

/** A record found by a search, best first. `score`: bm25 (keyword), cosine similarity (vector), sum of 1/(60+rank) (hybrid). */
export interface Hit extends DatastoreRecord {
  readonly score: number;
}

/** Conditions on one field. */
export interface Condition {
  readonly $eq?: Json;
  readonly $ne?: Json;
  readonly $in?: readonly Json[];
  readonly $gt?: Json;
  readonly $gte?: Json;
  readonly $lt?: Json;
  readonly $lte?: Json;
  readonly $exists?: boolean;
}

/** All fields must fit; a plain value means `$eq`. */
export interface Filter {
  readonly [field: string]: Json | Condition;
}

/** How a search finds records. */
export type SearchMode = "keyword" | "vector" | "hybrid";

/** What to search for, as in `ctx.datastore.search`. */
export interface SearchParams {
  readonly query?: string;
  readonly vector?: readonly number[];
  readonly mode?: SearchMode;
  readonly filter?: Filter;
  readonly top_k?: number;
  readonly offset?: number;
  readonly fields?: readonly string[];
  readonly min_score?: number;
}

/** One page of a scan. `after` continues behind it; null: there is no more. */
export interface ScanPage {
  readonly records: readonly DatastoreRecord[];
  readonly after: number | null;
}

/** Which page of a scan: records in the order in which they were written. */
export interface ScanParams {
  readonly filter?: Filter;
  /** `after` of the page before. */
  readonly after?: number;
  /** Records at most; a page of large records has fewer. */
  readonly limit?: number;
  readonly fields?: readonly string[];
}

/** A user's SQL: one SELECT over `records` (also under the datastore's own `name`). */
export interface QueryParams {
  readonly name: string;
  readonly sql: string;
  /** Values of `?` in order, or of `:name`, `@name`, `$name` by name. */
  readonly params?:
    | readonly (string | number | boolean | null)[]
    | Readonly<Record<string, string | number | boolean | null>>;
}

/** The rows of a query; integers beyond ±(2^53-1) are text, BLOBs base64. */
export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly [column: string]: Json }[];
}

/** What a revision holds. */
export interface RevisionFacts {
  readonly schema: DatastoreSchema;
  readonly revision: number;
  /** Records at this revision. */
  readonly rows: number;
  /** Rows of the file that no longer belong to its newest revision: a large share is worth a new file. */
  readonly deadRows: number;
  /** Of the file on disk. */
  readonly bytes: number;
}

/** What writing a file or changing it has done. */
export interface WriteReport {
  /** Records afterwards. */
  readonly rows: number;
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
  readonly deadRows: number;
  /** Of the file on disk. */
  readonly bytes: number;
}

/**
 * Writes a new file (synchronously: for a child process only). Until `finish` returns nobody can read it; a file that a
 * crash left behind is removed by the next `createWriter` of its path.
 * Errors are INVALID_REQUEST with `details` { record (number from 1), id, field, limit, value }.
 */
export interface DatastoreWriter {
  /** Adds records in order; all or none of them. */
  add(records: readonly RecordInput[]): void;
  /** Builds the indexes, checks that ids are unique and makes the file durable. */
  finish(): WriteReport;
  /** Removes what was written. */
  abort(): void;
}

/** Reads one file synchronously. Results are JSON texts, ready to be passed on. */
export interface DatastoreReader {
  readonly schema: DatastoreSchema;
  /** The data of each id as a JSON text, null where there is no such record. */
  get(revision: number, ids: readonly string[]): (string | null)[];
  count(revision: number, filter?: Filter): number;
  /** JSON text of a {@link ScanPage}. */
  scan(revision: number, params: ScanParams): string;
  /** JSON text of a list of {@link Hit}. */
  search(revision: number, params: SearchParams): string;
  describe(revision: number): RevisionFacts;
  close(): void;
}

/** How long and for whom an operation of the query client may work. */
export interface Asking {
  /** Accounts take turns when all processes are busy. */
  readonly accountId: string;
  /** Aborting kills the process that works on it. */
  readonly signal?: AbortSignal;
}

/**
 * The parent's side of the query processes, for any thread: nothing in it blocks, all results are JSON texts.
 * Errors: INVALID_ARGUMENT (names field, limit and value), LIMIT_EXCEEDED (time, rows, bytes, memory), NOT_FOUND for a
 * revision that the file does not have, OVERLOADED when too many wait.
 */
export interface QueryClient {
  /** JSON text: list of data or null, in the order of the ids. */
  get(ref: RevisionRef, ids: readonly string[], asking: Asking): Promise<string>;
  /** JSON text: a number. */
  count(ref: RevisionRef, filter: Filter | undefined, asking: Asking): Promise<string>;
  /** JSON text of a {@link ScanPage}. */
  scan(ref: RevisionRef, params: ScanParams, asking: Asking): Promise<string>;
  /** JSON text of a list of {@link Hit}. */
  search(ref: RevisionRef, params: SearchParams, asking: Asking): Promise<string>;
  /** JSON text of a {@link QueryResult}. */
  query(ref: RevisionRef, params: QueryParams, asking: Asking): Promise<string>;
  describe(ref: RevisionRef, asking: Asking): Promise<RevisionFacts>;
  /**
   * Writes records as revision `revision`, replacing those with the same id; durable when it resolves. Revisions before
   * stay as they are. An unfinished or unpublished change of the same or a later number is undone first.
   * At most one change of a file at a time. Errors are INVALID_REQUEST as those of {@link DatastoreWriter}.
   */
  upsert(file: string, revision: number, records: readonly RecordInput[], asking: Asking): Promise<WriteReport>;
  /** Removes records as revision `revision`; ids without a record are ignored. */
  remove(file: string, revision: number, ids: readonly string[], asking: Asking): Promise<WriteReport>;
  /** Writes the live records of a revision to a new file, which has that one revision and no dead rows. */
  copy(ref: RevisionRef, target: string, asking: Asking): Promise<WriteReport>;
  /**
   * Writes the live records of a revision to an ordinary SQLite file for its user: one table `records` with the user's
   * own columns.
   */
  export(ref: RevisionRef, target: string, asking: Asking): Promise<WriteReport>;
  /** Ends all processes; what is under way is rejected with STOPPING. */
  close(): Promise<void>;
}

/** Point reads of a worker thread, bounded and without a process; keeps a few files open. */
export interface PointReader {
  /** The data of each id as a JSON text, null where there is no such record. Throws INVALID_ARGUMENT, NOT_FOUND. */
  get(ref: RevisionRef, ids: readonly string[]): (string | null)[];
  close(): void;
}
