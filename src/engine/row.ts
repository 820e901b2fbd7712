import {
  type Chunk,
  type ErrorRecord,
  type JournalRecord,
  type LogLine,
  toWorkflowError,
  type Usage,
} from "../../runtime/index.ts";
import type { Ending, Lease, NewExecution, Store } from "../store/store.ts";
import type { Sweep } from "./sweep.ts";

/** What all rows of one engine share. */
export interface RowKeeper {
  readonly store: Store;
  /** Holder of the leases. */
  readonly worker: string;
  readonly leaseMs: number;
  /** Starts and deliveries that are still held back. */
  readonly starts: Sweep<ExecutionRow>;
  /** Chunks and log lines that are still held back. */
  readonly outputs: Sweep<ExecutionRow>;
}

/** How an execution ended and what it used. */
export interface RowEnd {
  readonly ending: Ending;
  readonly usage: Usage;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
}

/** How an execution waits and what it used so far. */
export type RowRest = Pick<Parameters<Store["waitExecution"]>[0], "until" | "sleeps" | "calls" | "shortage" | "usage">;

/** When an execution that failed is tried again, and what it had used. */
export interface RowRetry {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly timeoutFrom: number | null;
  readonly error: ErrorRecord;
  readonly usage: Usage;
}

/** False for a workflow that was deleted meanwhile. */
function ifGone(error: unknown): false {
  if (toWorkflowError(error).code === "WORKFLOW_NOT_FOUND") return false;
  throw error;
}

/**
 * The stored side of one running execution. Its start is held back until something must follow it: an execution that is
 * over by then costs one row and one commit.
 */
export class ExecutionRow {
  readonly execution: NewExecution;
  readonly #keeper: RowKeeper;
  /** Null while the start is held back. */
  #fence: number | null = null;
  #records: JournalRecord[] = [];
  #chunks: Chunk[] = [];
  #logs: LogLine[] = [];
  #nextLog = 0;
  #isHeld = false;
  /** When the lease was last known to be held, on the clock of `performance.now`, ms. */
  leasedAt = 0;
  #stored: Promise<unknown> = Promise.resolve();
  #startedAt: number;
  #keepsTail = false;

  constructor(keeper: RowKeeper, execution: NewExecution) {
    this.#keeper = keeper;
    this.execution = execution;
    this.#startedAt = execution.createdAt;
  }

  /** The lease once the start is written. */
  get lease(): Lease | null {
    return this.#fence === null ? null : { executionId: this.execution.id, fence: this.#fence };
  }

  /** True while the execution runs and its start is held back. */
  get isHeld(): boolean {
    return this.#isHeld && this.#fence === null;
  }

  /** Index of the first chunk that is not yet in the store, given the next one of all. */
  storedChunks(next: number): number {
    return next - this.#chunks.length;
  }

  /** Holds the start, which is now (`startedAt`, ms since the epoch), back for a moment. */
  hold(startedAt: number): void {
    this.#startedAt = startedAt;
    this.#isHeld = true;
    this.#keeper.starts.add(this);
  }

  /** Goes on with a lease that `claim` gave. */
  adopt(fence: number): void {
    this.#keeper.starts.remove(this);
    this.#fence = fence;
    this.leasedAt = performance.now();
  }

  /** Writes what is held back of the start and the deliveries; what is written later never becomes durable before it. */
  start(): Lease {
    const lease = this.#begin();
    const records = this.#takeRecords();
    // A failure shows in the next write of this execution: a seq is missing, or the row.
    if (records.length > 0) this.#keeper.store.appendJournal({ lease, records }).catch(() => undefined);
    return lease;
  }

  /** Writes the start if it is still held back; resolves once it is durable. */
  async stored(): Promise<void> {
    this.#begin();
    await this.#stored;
  }

  /** Appends deliveries; those that need not be durable are written with the next write or sweep. */
  async append(records: readonly JournalRecord[], durable: boolean): Promise<void> {
    for (const record of records) this.#records.push(record);
    if (!durable) {
      this.#keeper.starts.add(this);
      return;
    }
    const lease = this.#begin();
    const stored = this.#keeper.store.appendJournal({ lease, records: this.#takeRecords() });
    this.flushOutput();
    await stored;
  }

  /** Takes chunks and log lines; they are written with the next write or sweep. */
  addOutput(chunks: readonly Chunk[], logs: readonly LogLine[]): void {
    for (const chunk of chunks) this.#chunks.push(chunk);
    for (const line of logs) {
      if (line.index < this.#nextLog) continue;
      this.#nextLog = line.index + 1;
      this.#logs.push(line);
    }
    if (this.#chunks.length + this.#logs.length > 0) this.#keeper.outputs.add(this);
  }

  /** Writes the chunks and log lines taken so far; readers of the store see them from then on. */
  flushOutput(): void {
    if (this.#chunks.length + this.#logs.length === 0) return;
    const lease = this.start();
    const output = this.#takeOutput();
    // Refused silently by the store when the lease is gone; the next durable write tells.
    this.#keeper.store.appendOutput({ lease, ...output }).catch(() => undefined);
  }

  /** Makes the deliveries that nothing durable followed part of the journal when the execution ends. */
  keepTail(): void {
    this.#keepsTail = true;
  }

  /** Writes the end; false when someone else holds or ended the execution, or it is gone. */
  async end({ ending, usage, startedAt, finishedAt }: RowEnd): Promise<boolean> {
    const { store } = this.#keeper;
    if (this.#keepsTail && this.#records.length > 0) this.start();
    const { lease, execution } = this;
    const output = this.#takeOutput();
    // Other deliveries that nothing durable followed are of no use to an execution that is over: they can be made again.
    this.#takeRecords();
    if (lease !== null) {
      const isDone = await store.completeExecution({ lease, ending, usage, ...output, now: finishedAt });
      // A start that could not be written says why.
      if (!isDone) await this.#stored.catch(ifGone);
      return isDone;
    }
    this.#isHeld = false;
    return store
      .recordExecution({ execution, ending, startedAt, finishedAt, usage, ...output })
      .then(() => true)
      .catch(ifGone);
  }

  /** Parks the execution; `ready` when it can go on at once, `lost` when someone else holds it. */
  park({ until, sleeps, calls, shortage, usage }: RowRest): ReturnType<Store["waitExecution"]> {
    const lease = this.start();
    return this.#keeper.store.waitExecution({ lease, until, sleeps, calls, shortage, usage, ...this.#takeOutput() });
  }

  /** Puts the execution back into the queue for another attempt; false when someone else holds it. */
  retry(next: RowRetry): Promise<boolean> {
    const lease = this.start();
    return this.#keeper.store.retryExecution({ lease, ...next, ...this.#takeOutput() });
  }

  /** The lease; writes the start if it is still held back. */
  #begin(): Lease {
    const { store, worker, leaseMs } = this.#keeper;
    const { execution } = this;
    const started = this.lease;
    if (started !== null) return started;
    const lease = { executionId: execution.id, fence: 1 };
    this.#fence = lease.fence;
    this.leasedAt = performance.now();
    // A failure shows in the next write of this execution, which finds no row.
    this.#stored = store.startExecution({ execution, startedAt: this.#startedAt, worker, leaseMs });
    this.#stored.catch(() => undefined);
    return lease;
  }

  #takeRecords(): readonly JournalRecord[] {
    this.#keeper.starts.remove(this);
    const records = this.#records;
    this.#records = [];
    return records;
  }

  #takeOutput(): { readonly chunks: readonly Chunk[]; readonly logs: readonly LogLine[] } {
    this.#keeper.outputs.remove(this);
    const output = { chunks: this.#chunks, logs: this.#logs };
    this.#chunks = [];
    this.#logs = [];
    return output;
  }
}
