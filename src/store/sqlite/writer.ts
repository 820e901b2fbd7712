import { fail, toWorkflowError, WorkflowError } from "../../../runtime/index.ts";
import type { Database } from "./database.ts";
import { toStoreError } from "./disk-error.ts";

/** How long a failure of the disk is believed to go on without another try, ms. */
const DISK_ERROR_MS = 3_000;

interface Batch {
  /** Settles once the batch is on the disk. */
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Its mutations so far, for doing them again. */
  readonly done: (() => unknown)[];
  /** True once a mutation without a savepoint has failed: those that follow get one. */
  isGuarded: boolean;
}

/**
 * Group commit: every mutation called in one turn of the event loop joins one transaction, and all of them resolve when
 * it is durable. While one transaction is being flushed to the disk the next one stays open and collects. A mutation
 * runs at once, so later reads see it; one that throws undoes only itself. A mutation may be run again after a rollback: it
 * changes nothing but the database, and does the same from the same state.
 */
export class Writer {
  readonly #db: Database;
  readonly #onRollback: () => void;
  #batch: Batch | null = null;
  #flushing = false;
  /** Why nothing can be made durable any more; null while all is well. */
  #broken: unknown = null;
  #closed = false;
  #diskError: Error | null = null;
  #diskErrorAt = 0;

  /** `onRollback` is called when calls that had taken effect are undone: drop what was remembered of them. */
  constructor(db: Database, onRollback: () => void) {
    this.#db = db;
    this.#onRollback = onRollback;
  }

  /** Runs `mutation` now; resolves with its value once it is durable, STOPPING after close. */
  write<T>(mutation: () => T): Promise<T> {
    return this.#join(mutation, () => this.#attempt(mutation));
  }

  /**
   * Like write, without a savepoint: for the hot paths, whose refusals (a WorkflowError) all come before their first
   * change. After any other failure the mutations before it are done again without it.
   */
  writeUnguarded<T>(mutation: () => T): Promise<T> {
    return this.#join(mutation, (batch) => (batch.isGuarded ? this.#attempt(mutation) : this.#try(mutation, batch)));
  }

  #join<T>(mutation: () => T, work: (batch: Batch) => T): Promise<T> {
    try {
      const batch = this.#open();
      const value = work(batch);
      batch.done.push(mutation);
      return batch.durable.then(() => value);
    } catch (error) {
      return Promise.reject(this.#note(error));
    }
  }

  /** Why the disk could not be written a moment ago; null when it could, or nobody has tried since. */
  get diskError(): Error | null {
    if (this.#diskError === null || performance.now() - this.#diskErrorAt > DISK_ERROR_MS) return null;
    return this.#diskError;
  }

  #note(error: unknown): Error {
    const known = toStoreError(error);
    if (known.code === "OVERLOADED") {
      this.#diskError = known;
      this.#diskErrorAt = performance.now();
    }
    return known;
  }

  /** False once the disk has lost a commit: only a new start can promise anything again. */
  get isSound(): boolean {
    return this.#broken === null;
  }

  /** Commits what is pending; later writes are refused. False when it was closed before. */
  close(): boolean {
    if (this.#closed) return false;
    this.#commit();
    this.#closed = true;
    return true;
  }

  #open(): Batch {
    if (this.#batch !== null) return this.#batch;
    if (this.#closed) throw fail("STOPPING", { message: "The store is closed." });
    if (this.#broken !== null) throw fail("INTERNAL", {}, this.#broken);
    this.#db.run("BEGIN IMMEDIATE");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Callers hold promises derived from this one; it may itself have none when every call of the batch threw.
    promise.catch(() => undefined);
    this.#batch = { durable: promise, resolve, reject, done: [], isGuarded: false };
    if (!this.#flushing) setImmediate(() => this.#commit());
    return this.#batch;
  }

  #try<T>(mutation: () => T, batch: Batch): T {
    try {
      return mutation();
    } catch (error) {
      if (!(error instanceof WorkflowError) && !this.#redo(batch)) this.#abandon(error);
      throw error;
    }
  }

  /** Undoes a batch and does what succeeded in it again, so that one that failed half way leaves nothing; false when that is not possible. */
  #redo(batch: Batch): boolean {
    // After a full disk or an I/O error nothing would succeed.
    if (!this.#db.inTransaction) return false;
    try {
      this.#db.exec("ROLLBACK");
      this.#onRollback();
      this.#db.run("BEGIN IMMEDIATE");
      for (const mutation of batch.done) mutation();
      batch.isGuarded = true;
      return true;
    } catch {
      return false;
    }
  }

  #attempt<T>(mutation: () => T): T {
    this.#db.run("SAVEPOINT mutation");
    try {
      const value = mutation();
      this.#db.run("RELEASE mutation");
      return value;
    } catch (error) {
      // After a full disk or an I/O error SQLite has already rolled back the whole transaction.
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK TO mutation; RELEASE mutation");
      else this.#abandon(error);
      throw error;
    }
  }

  #commit(): void {
    const batch = this.#batch;
    if (batch === null) return;
    try {
      this.#db.run("COMMIT");
    } catch (error) {
      this.#abandon(error);
      return;
    }
    this.#batch = null;
    if (this.#broken !== null) batch.reject(toWorkflowError(this.#broken));
    else if (this.#db.flushes) this.#flush(batch);
    else batch.resolve();
  }

  async #flush(batch: Batch): Promise<void> {
    this.#flushing = true;
    try {
      await this.#db.flush();
      batch.resolve();
    } catch (error) {
      // What the kernel could not write it may have dropped: nothing that follows could be promised either.
      this.#broken = error;
      batch.reject(toWorkflowError(error));
    }
    this.#flushing = false;
    this.#commit();
  }

  #abandon(error: unknown): void {
    const batch = this.#batch;
    this.#batch = null;
    const noted = this.#note(error);
    batch?.reject(noted);
    this.#onRollback();
    if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
  }
}
