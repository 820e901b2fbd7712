import { closeSync, openSync } from "node:fs";
import { Worker } from "node:worker_threads";

/**
 * The log file that holds every commit. SQLite itself would flush it inside COMMIT, with the server's thread waiting
 * (synchronous = FULL); flushing it from a thread of its own and telling the caller only afterwards promises the same.
 * A thread of its own: libuv's are shared with name look-ups and cryptography that scripts ask for.
 * SQLite puts no POSIX lock on this file, so that it may be opened a second time.
 */
export class WriteAheadLog {
  readonly #file: string;
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  #descriptor: number | null = null;
  #closed = false;

  constructor(file: string) {
    this.#file = file;
    this.#worker = new Worker(new URL("./flush-worker.mjs", import.meta.url), { env: {}, stdin: false });
    this.#worker.unref();
    this.#worker.on("message", (failure: string | null) => this.#flushed(failure));
    this.#worker.on("error", (error) => this.#fail(error));
  }

  /** Resolves once everything written to the log before is on the disk. */
  async flush(): Promise<void> {
    this.#descriptor ??= openSync(this.#file, "r");
    const flushed = Promise.withResolvers<void>();
    this.#waiting.push(flushed);
    if (this.#waiting.length === 1) this.#worker.ref();
    this.#worker.postMessage(this.#descriptor);
    return flushed.promise;
  }

  /** Ends the thread as soon as nothing is waited for. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #flushed(failure: string | null): void {
    const flushed = this.#waiting.shift();
    if (failure === null) flushed?.resolve();
    else flushed?.reject(new Error(failure));
    if (this.#waiting.length === 0) this.#worker.unref();
    if (this.#closed) this.#release();
  }

  #fail(error: unknown): void {
    for (const flushed of this.#waiting.splice(0)) flushed.reject(error);
  }

  #release(): void {
    if (this.#waiting.length > 0) return;
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#worker.terminate();
  }
}
