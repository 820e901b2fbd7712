import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { fail } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { createEncoder, type EncodedRecord, type Encoder } from "./encode-record.ts";
import { FORMAT, indexesOf, layoutOf, tablesOf } from "./layout.ts";
import type { DatastoreSchema, DatastoreWriter, RecordInput, WriteReport } from "./types.ts";

/** Page cache of a connection that writes, in KiB. */
const CACHE_KIB = 64 * 1024;
/** Larger pages keep most vectors and texts on one page. */
const PAGE_BYTES = 8_192;

/** What a new file is. */
export interface WriterOptions {
  /** Where it will be; it must not exist. Beside it, `<file>.part` is written. */
  readonly file: string;
  /** As {@link parseSchema} returns it. */
  readonly schema: DatastoreSchema;
  /** The first revision of the file. */
  readonly revision: number;
  readonly limits: Pick<Limits, "maxRecordBytes">;
}

/** Statements that put one record into the tables. */
export interface RecordInserts {
  /** Writes a record as the row with this number. */
  insert(record: Pick<EncodedRecord, "values" | "vector">, row: number): void;
}

/** Prepares {@link RecordInserts} for a connection. */
export function prepareInserts(db: DatabaseSync, stored: readonly string[], withVectors: boolean): RecordInserts {
  const marks = stored.map(() => "?").join(", ");
  const record = db.prepare(`INSERT INTO records (_row, ${stored.join(", ")}) VALUES (?, ${marks})`);
  const vectors: StatementSync | null = withVectors
    ? db.prepare("INSERT INTO vectors (row, vector) VALUES (?, ?)")
    : null;
  return {
    insert({ values, vector }, row) {
      record.run(row, ...values);
      if (vector !== null) vectors?.run(row, vector);
    },
  };
}

/** Removes what a crashed writer left at a path. */
export function removePart(file: string): void {
  for (const suffix of [".part", ".part-journal", ".part-wal", ".part-shm"])
    rmSync(`${file}${suffix}`, { force: true });
}

/** Begins a new file, see {@link DatastoreWriter}. SQLite's own temporary files go where SQLITE_TMPDIR says. */
export function createWriter(options: WriterOptions): DatastoreWriter {
  return new Writer(options);
}

/** A writer of rows that are encoded already: what a copy uses. */
export interface RawWriter extends DatastoreWriter {
  addEncoded(record: Pick<EncodedRecord, "values" | "vector">): void;
}

/** Writes a new file; see {@link createWriter}. */
export class Writer implements RawWriter {
  readonly #options: WriterOptions;
  readonly #db: DatabaseSync;
  readonly #layout;
  readonly #encode: Encoder;
  readonly #inserts: RecordInserts;
  #rows = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#layout = layoutOf(options.schema);
    this.#encode = createEncoder(this.#layout, { limits: options.limits, numbered: true });
    removePart(options.file);
    this.#db = new DatabaseSync(`${options.file}.part`, { allowExtension: false });
    // Nobody reads the file before it is whole and synced, and a crash throws it away.
    this.#db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
      PRAGMA cache_size = -${CACHE_KIB}; PRAGMA locking_mode = EXCLUSIVE; BEGIN; ${tablesOf(this.#layout)}`);
    this.#inserts = prepareInserts(this.#db, this.#layout.stored, options.schema.vector !== null);
  }

  add(records: readonly RecordInput[]): void {
    const encoded = records.map((record, at) => this.#encode(record, this.#rows + at + 1));
    for (const record of encoded) this.addEncoded(record);
  }

  addEncoded(record: Pick<EncodedRecord, "values" | "vector">): void {
    this.#inserts.insert(record, this.#rows + 1);
    this.#rows++;
  }

  finish(): WriteReport {
    const { file, revision, schema } = this.#options;
    try {
      for (const sql of indexesOf(this.#layout)) this.#db.exec(sql);
      this.#checkIds();
      this.#db.prepare("INSERT INTO datastore (format, schema) VALUES (?, ?)").run(FORMAT, JSON.stringify(schema));
      const rows = this.#rows;
      this.#db.prepare("INSERT INTO revisions (revision, last_row, rows) VALUES (?, ?, ?)").run(revision, rows, rows);
      this.#db.exec("COMMIT; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL;");
      this.#db.close();
      publish(file);
    } catch (thrown) {
      this.abort();
      throw thrown;
    }
    const bytes = statSync(file).size;
    return { rows: this.#rows, added: this.#rows, replaced: 0, removed: 0, deadRows: 0, bytes };
  }

  abort(): void {
    if (this.#db.isOpen) this.#db.close();
    removePart(this.#options.file);
  }

  #checkIds(): void {
    const twice = this.#db.prepare(
      "SELECT id, min(_row) AS first, max(_row) AS again FROM records GROUP BY id HAVING count(*) > 1 LIMIT 1",
    );
    const found = twice.get();
    if (found === undefined) return;
    const { id, first, again } = found;
    const field = this.#options.schema.idField ?? "id";
    throw fail("INVALID_REQUEST", {
      message: `record ${again}: ${field}: ${JSON.stringify(id)} is already the id of record ${first}`,
      record: again,
      first,
      field,
      value: id,
    });
  }
}

/** Makes the finished file durable and visible under its name, in one step. */
function publish(file: string): void {
  sync(`${file}.part`);
  renameSync(`${file}.part`, file);
  sync(dirname(file));
}

function sync(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
