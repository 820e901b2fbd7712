import { fail, type IngestProgress, toWorkflowError } from "../../../runtime/index.ts";
import type { DatastoreImport } from "../../store/store.ts";
import { type DatastoreParts, runImport } from "./run-import.ts";

/** The imports of this server: some run, the others wait; those of one datastore take turns. */
export interface ImportQueue {
  add(item: DatastoreImport): void;
  /** How far an import is that runs; null otherwise. */
  progressOf(importId: string): IngestProgress | null;
  /** Ids of the imports of a datastore that run, wait, or have just ended. */
  openOf(datastoreId: string): readonly string[];
  /** Resolves once an import that runs or waits has ended, at once for others. */
  ended(importId: string): Promise<void>;
  /** Stops an import, waiting or running; resolves when it has ended. */
  cancel(importId: string): Promise<void>;
  /** Stops all imports of a datastore. */
  cancelAll(datastoreId: string): Promise<void>;
  /** Leaves what runs to the next start, and starts nothing more. */
  close(): Promise<void>;
}

/** How imports take turns. */
export interface QueueOptions {
  /** Imports that run at the same time. */
  readonly max: number;
  /** Resolves when the changes of the datastore that are under way have ended. */
  settled(item: DatastoreImport): Promise<void>;
}

interface Entry {
  readonly item: DatastoreImport;
  readonly abort: AbortController;
  readonly end: PromiseWithResolvers<void>;
  /** The changes that were under way when it came have ended. */
  ready: boolean;
  running: boolean;
  progress: IngestProgress | null;
}

const cancelled = () => fail("EXECUTION_CANCELLED", { message: "The import was cancelled." });

class Queue implements ImportQueue {
  readonly #parts: DatastoreParts;
  readonly #options: QueueOptions;
  /** In the order in which they came. */
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor(parts: DatastoreParts, options: QueueOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  add(item: DatastoreImport): void {
    const end = Promise.withResolvers<void>();
    const entry = { item, abort: new AbortController(), end, ready: false, running: false, progress: null };
    this.#entries.set(item.id, entry);
    void this.#settle(entry);
  }

  /** Waits without taking a place: such a change may itself wait for an import. */
  async #settle(entry: Entry): Promise<void> {
    await this.#options.settled(entry.item);
    entry.ready = true;
    this.#next();
  }

  progressOf(importId: string): IngestProgress | null {
    return this.#entries.get(importId)?.progress ?? null;
  }

  openOf(datastoreId: string): readonly string[] {
    return this.#of(datastoreId).map(({ item }) => item.id);
  }

  async ended(importId: string): Promise<void> {
    await this.#entries.get(importId)?.end.promise;
  }

  async cancel(importId: string): Promise<void> {
    const entry = this.#entries.get(importId);
    if (entry === undefined) return;
    entry.abort.abort(cancelled());
    // One that waits is begun only to end.
    if (!entry.running) this.#run(entry);
    await entry.end.promise;
  }

  async cancelAll(datastoreId: string): Promise<void> {
    await Promise.all(this.#of(datastoreId).map(({ item }) => this.cancel(item.id)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#entries.values()].filter((entry) => entry.running);
    for (const { abort } of running) abort.abort(fail("STOPPING"));
    await Promise.all(running.map(({ end }) => end.promise));
    for (const { end } of this.#entries.values()) end.resolve();
  }

  #of(datastoreId: string): readonly Entry[] {
    return [...this.#entries.values()].filter(({ item }) => item.datastoreId === datastoreId);
  }

  /** The oldest import of the account that has the fewest running, of a datastore that has none running. */
  #choose(): Entry | null {
    const running = [...this.#entries.values()].filter((entry) => entry.running);
    if (running.length >= this.#options.max) return null;
    const busy = new Set(running.map(({ item }) => item.datastoreId));
    const load = (accountId: string) => running.filter(({ item }) => item.accountId === accountId).length;
    let best: Entry | null = null;
    for (const entry of this.#entries.values()) {
      if (!entry.ready || entry.running || busy.has(entry.item.datastoreId)) continue;
      if (best === null || load(entry.item.accountId) < load(best.item.accountId)) best = entry;
    }
    return best;
  }

  #next(): void {
    for (let entry = this.#closed ? null : this.#choose(); entry !== null; entry = this.#choose()) this.#run(entry);
  }

  async #run(entry: Entry): Promise<void> {
    entry.running = true;
    const onProgress = (progress: IngestProgress) => {
      entry.progress = progress;
    };
    try {
      await runImport({ item: entry.item, signal: entry.abort.signal, onProgress }, this.#parts);
    } catch (error) {
      if (toWorkflowError(error).code !== "STOPPING") this.#parts.report(error);
    }
    this.#entries.delete(entry.item.id);
    entry.end.resolve();
    this.#next();
  }
}

/** Makes the queue. */
export const createImportQueue = (parts: DatastoreParts, options: QueueOptions): ImportQueue =>
  new Queue(parts, options);
