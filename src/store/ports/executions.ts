import type { Chunk, ErrorRecord, LogLine, Usage } from "../../../runtime/index.ts";
import type { CacheHit, Ending, Execution, Lease, NewExecution } from "../rows.ts";
import type { ExecutionFilter, ExecutionPage, ListPosition } from "./execution-filter.ts";
import type { Gates } from "./jobs.ts";

/** Rows of executions: made, found, listed, ended on request. The three that add one throw WORKFLOW_NOT_FOUND when the workflow is gone, recordHits leaves such out. */
export interface ExecutionStore {
  /** Stores a queued execution. Idempotent on (account, idempotencyKey) and on (parentId, parentPos): returns the existing one then; so does a debounce that joins (`debounced`). `gates` absent = none; RATE_LIMITED. */
  enqueue(params: { readonly execution: NewExecution; readonly gates?: Gates | null }): Promise<{
    readonly execution: Execution;
    readonly created: boolean;
    readonly debounced: boolean;
  }>;
  /** Stores an execution that starts at once, already leased by `worker` with fence 1 until `startedAt + leaseMs`; may be called without awaiting: later mutations never become durable before it. CONFLICT when id, idempotency key or parent position is taken. */
  startExecution(params: {
    readonly execution: NewExecution;
    readonly startedAt: number;
    readonly worker: string;
    readonly leaseMs: number;
  }): Promise<Lease>;
  /** Stores start and end of an execution in one row and one commit (runs that finished before their row was written). */
  recordExecution(params: {
    readonly execution: NewExecution;
    readonly ending: Ending;
    readonly startedAt: number;
    readonly finishedAt: number;
    readonly usage: Usage;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
  }): Promise<void>;
  /** Stores executions that the result cache answered, all in one commit; CONFLICT, and none is stored, when the id, idempotency key or parent position of one is taken. */
  recordHits(params: { readonly hits: readonly CacheHit[] }): Promise<void>;
  /** The execution that an idempotency key stands for; one created before `since` gives the key up, and null is the answer. */
  findKeyed(params: {
    readonly accountId: string;
    readonly idempotencyKey: string;
    readonly since: number;
  }): Promise<Execution | null>;
  /** Takes the idempotency keys of up to `max` executions created before `since` away, the oldest first; returns how many. Called again while it is `max`. */
  expireKeys(params: { readonly since: number; readonly max: number }): Promise<number>;
  /** Ends a queued or waiting execution with `error`, cancelled or (any other code) failed; asks a running one to stop. False when it already ended or is unknown. */
  cancelExecution(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly now: number;
    readonly error: ErrorRecord;
  }): Promise<boolean>;
  /** Ends up to `max` waiting executions that `parentId` called, and returns their ids. Called again while there are `max`. */
  cancelWaitingChildren(params: {
    readonly accountId: string;
    readonly parentId: string;
    readonly now: number;
    readonly error: ErrorRecord;
    readonly max: number;
  }): Promise<readonly string[]>;
  findExecution(params: { readonly accountId: string; readonly executionId: string }): Promise<Execution | null>;
  findChild(params: { readonly parentId: string; readonly parentPos: number }): Promise<Execution | null>;
  /** Newest first: by creation, by end where the filter has an end, by position where it has a parent. `offset` skips rows of filters that name only workflow, status, session or times of creation. */
  listExecutions(params: {
    readonly accountId: string;
    readonly filter: ExecutionFilter;
    readonly limit: number;
    readonly offset: number;
    /** Where the page before ended; null for the first. */
    readonly after: ListPosition | null;
  }): Promise<ExecutionPage>;
}
