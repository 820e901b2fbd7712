import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { fail } from "../../../runtime/index.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

/** How much a resolved write survives: `full` a power cut, `relaxed` only the death of the process. */
export type Durability = "full" | "relaxed";

/** A value that can be bound to a parameter. */
export type Value = SQLInputValue;

/** Pages in the log before they are moved into the file. */
const CHECKPOINT_PAGES = 2_000;
const LOCKED = 5;
const NOT_A_DATABASE = 26;
/** A server that is just going away may still hold the lock for a moment. */
const LOCK_WAIT_MS = 1_000;

/** The extended SQLite result code of a thrown value; null when SQLite did not throw it. */
export function sqliteCode(thrown: unknown): number | null {
  const code = thrown instanceof Error && "errcode" in thrown ? thrown.errcode : null;
  return typeof code === "number" ? code : null;
}

/** One SQLite file, held exclusively, with its prepared statements cached by their text. */
export class Database {
  readonly #db: DatabaseSync;
  /** The write-ahead log to flush after a commit; null when commits need not survive a power cut. */
  readonly #log: WriteAheadLog | null;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, log: WriteAheadLog | null) {
    this.#db = db;
    this.#log = log;
  }

  /** True when commits must be flushed to survive a power cut. */
  get flushes(): boolean {
    return this.#log !== null;
  }

  /** Flushes everything committed so far to the disk, on another thread. */
  async flush(): Promise<void> {
    await this.#log?.flush();
  }

  /** False between transactions, also when SQLite gave one up by itself (full disk, I/O error). */
  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  /** First row, or undefined. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** Every row. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** Every row as a list of its values: much cheaper for many. */
  lists<Row extends readonly unknown[]>(sql: string, ...values: Value[]): Row[] {
    const statement = this.#prepare(sql);
    statement.setReturnArrays(true);
    try {
      return statement.all(...values) as unknown as Row[];
    } finally {
      statement.setReturnArrays(false);
    }
  }

  /** Rows one at a time; leaving the loop early is fine. */
  iterate<Row>(sql: string, ...values: Value[]): IterableIterator<Row> {
    return this.#prepare(sql).iterate(...values) as IterableIterator<Row>;
  }

  /** Runs a statement; returns how many rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Runs an INSERT of one row; returns its integer key, null when nothing was inserted. */
  insert(sql: string, ...values: Value[]): number | null {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...values);
    return changes === 0 ? null : Number(lastInsertRowid);
  }

  /** While true, the file does not change: commits stay in the log. */
  holdFile(isHeld: boolean): void {
    this.#db.exec(`PRAGMA wal_autocheckpoint = ${isHeld ? 0 : CHECKPOINT_PAGES}`);
  }

  /** Runs SQL text that is used once. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** Folds the write-ahead log into the file and releases the lock. */
  close(): void {
    this.#statements.clear();
    this.#db.close();
    this.#log?.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Opens (or makes) the file and locks it; CONFLICT names the directory when another server holds it. */
export function openDatabase(file: string, durability: Durability): Database {
  const directory = dirname(resolve(file));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: true, timeout: LOCK_WAIT_MS });
  try {
    // Exclusive locking keeps the lock for the life of the connection; the operating system drops it with the process.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("PRAGMA journal_mode = WAL");
    // Consistent after a power cut; what makes commits durable is WriteAheadLog.
    db.exec("PRAGMA synchronous = NORMAL");
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = 67108864`);
    db.exec("PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY");
    db.exec("BEGIN IMMEDIATE; COMMIT");
  } catch (error) {
    db.close();
    throw openingError(error, directory);
  }
  return new Database(db, durability === "full" ? new WriteAheadLog(`${file}-wal`) : null);
}

function openingError(error: unknown, directory: string): unknown {
  const code = sqliteCode(error);
  if (code === null) return error;
  if ((code & 0xff) === LOCKED) {
    const message = `The store in ${directory} is in use by another server; stop that one, or give this one another data directory.`;
    return fail("CONFLICT", { message, directory }, error);
  }
  if ((code & 0xff) === NOT_A_DATABASE) {
    return fail("CONFLICT", { message: `The store in ${directory} is not a database of Weft.`, directory }, error);
  }
  return error;
}
