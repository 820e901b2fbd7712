import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { fail } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { createEncoder, type EncodedRecord, type Encoder, type SqlValue } from "./encode-record.ts";
import { FORMAT, indexesOf, layoutOf, tablesOf } from "./layout.ts";
import type { DatastoreSchema, DatastoreWriter, RecordInput, WriteReport } from "./types.ts";

/** Page cache of a connection that writes, in KiB. */
const CACHE_KIB = 64 * 1024;
/** Larger pages keep most vectors and texts on one page. */
const PAGE_BYTES = 8_192;

const INSERT_VECTOR = "INSERT INTO vectors (row, vector) VALUES (?, ?)";

/** Values of one statement that writes several rows. */
const BATCH_VALUES = 100;

/** What a new file is. */
export interface WriterOptions {
  /** Where it will be; it must not exist. Beside it, `<file>.part` is written. */
  readonly file: string;
  /** As {@link parseSchema} returns it. */
  readonly schema: DatastoreSchema;
  /** The first revision of the file. */
  readonly revision: number;
  readonly limits: Pick<Limits, "maxRecordBytes">;
  /** What happens to records with the same id; the default is an error that names both. */
  readonly onDuplicate?: "error" | "last" | "first";
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
  const vectors: StatementSync | null = withVectors ? db.prepare(INSERT_VECTOR) : null;
  return {
    insert({ values, vector }, row) {
      record.run(row, ...values);
      if (vector !== null) vectors?.run(row, vector);
    },
  };
}

/** Writes the rows of a new file, numbered from 1 by SQLite, several at a time: both cost less. */
class RowBatches {
  readonly #statement: (rows: number) => StatementSync;
  readonly #rows: number;
  readonly #full: StatementSync;
  #values: SqlValue[] = [];
  #count = 0;

  constructor(db: DatabaseSync, columns: readonly string[]) {
    this.#rows = Math.max(1, Math.floor(BATCH_VALUES / columns.length));
    const marks = `(${columns.map(() => "?").join(", ")})`;
    this.#statement = (rows) =>
      db.prepare(`INSERT INTO records (${columns.join(", ")}) VALUES ${Array(rows).fill(marks).join(", ")}`);
    this.#full = this.#statement(this.#rows);
  }

  add(values: readonly SqlValue[]): void {
    for (const value of values) this.#values.push(value);
    this.#count++;
    if (this.#count < this.#rows) return;
    this.#full.run(...this.#values);
    this.#clear();
  }

  /** Writes what is left. */
  flush(): void {
    if (this.#count > 0) this.#statement(this.#count).run(...this.#values);
    this.#clear();
  }

  #clear(): void {
    this.#values = [];
    this.#count = 0;
  }
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
  readonly #records: RowBatches;
  readonly #vectors: StatementSync | null;
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
    this.#records = new RowBatches(this.#db, this.#layout.stored);
    this.#vectors = options.schema.vector === null ? null : this.#db.prepare(INSERT_VECTOR);
  }

  add(records: readonly RecordInput[]): void {
    const encoded = records.map((record, at) => this.#encode(record, this.#rows + at + 1));
    for (const record of encoded) this.addEncoded(record);
  }

  addEncoded({ values, vector }: Pick<EncodedRecord, "values" | "vector">): void {
    this.#rows++;
    this.#records.add(values);
    if (vector !== null) this.#vectors?.run(this.#rows, vector);
  }

  finish(): WriteReport {
    const report = this.complete();
    publish(this.#options.file);
    return report;
  }

  /** Does all of `finish` but the last step, which is left to {@link publishPart}: a process may not be allowed to sync files. */
  complete(): WriteReport {
    const { file, revision, schema } = this.#options;
    let rows = 0;
    try {
      this.#records.flush();
      const [ids = "", ...others] = indexesOf(this.#layout);
      this.#db.exec(ids);
      const replaced = this.#settleIds();
      for (const sql of others) this.#db.exec(sql);
      this.#db.prepare("INSERT INTO datastore (format, schema) VALUES (?, ?)").run(FORMAT, JSON.stringify(schema));
      const last = this.#rows;
      rows = last - replaced;
      this.#db.prepare("INSERT INTO revisions (revision, last_row, rows) VALUES (?, ?, ?)").run(revision, last, rows);
      this.#db.exec("COMMIT; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL;");
      this.#db.close();
    } catch (thrown) {
      this.abort();
      throw thrown;
    }
    const bytes = statSync(`${file}.part`).size;
    return { rows, added: rows, replaced: 0, removed: 0, deadRows: 0, bytes };
  }

  abort(): void {
    if (this.#db.isOpen) this.#db.close();
    removePart(this.#options.file);
  }

  /** Deals with records that have the id of another; gives how many it took away. */
  #settleIds(): number {
    const { onDuplicate = "error", schema } = this.#options;
    if (onDuplicate === "error") {
      this.#checkIds();
      return 0;
    }
    const kept = onDuplicate === "last" ? "max" : "min";
    const { changes } = this.#db
      .prepare(`DELETE FROM records WHERE _row NOT IN (SELECT ${kept}(_row) FROM records GROUP BY id)`)
      .run();
    if (schema.vector !== null) this.#db.exec("DELETE FROM vectors WHERE row NOT IN (SELECT _row FROM records)");
    return Number(changes);
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
export function publish(file: string): void {
  sync(`${file}.part`);
  renameSync(`${file}.part`, file);
  sync(dirname(file));
}

/** {@link publish} without blocking the thread. */
export async function publishPart(file: string): Promise<void> {
  await syncLater(`${file}.part`);
  await rename(`${file}.part`, file);
  await syncLater(dirname(file));
}

async function syncLater(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function sync(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
