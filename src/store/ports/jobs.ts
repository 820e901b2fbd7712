import type { Chunk, ErrorRecord, LogLine, SpentUsage, Usage } from "../../../runtime/index.ts";
import type { Execution, ExecutionState, Lease } from "../rows.ts";

/** What an execution passes on its way to the queue; keys are compared within its workflow. */
export interface Gates {
  /** At most `limit` executions of the key run (are leased or due) at the same time; parked ones do not count. */
  readonly slot: { readonly key: string; readonly limit: number } | null;
  /** At most `limit` executions of the key start within any `periodMs`. */
  readonly rate: { readonly key: string; readonly limit: number; readonly periodMs: number } | null;
  /** Calls of the key become one execution with the last call's request, `delayMs` after it, at the latest `maxWaitMs` after the first. */
  readonly debounce: { readonly key: string; readonly delayMs: number; readonly maxWaitMs: number } | null;
  /** True for a caller who waits: refused with RATE_LIMITED instead of waiting for its rate. */
  readonly isDirect: boolean;
}

/** Further attempts of executions, and sums over the queue. */
export interface JobStore {
  /** Puts a running execution back into the queue until a time. The failures at the end of its journal (errors, HTTP answers of 429 or 500 and above, with what has no effect outside after them) are dropped, and its nested executions that failed with them go on; its attempts and retries go up by one, and `error` is kept as the last one. `timeoutFrom`: its timeout counts anew from then; null = as before. False when the fence is old. */
  retryExecution(params: {
    readonly lease: Lease;
    readonly until: number;
    readonly timeoutFrom: number | null;
    readonly error: ErrorRecord;
    readonly usage: Usage;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
  }): Promise<boolean>;
  /** Puts a failed execution that has neither parent nor secrets back into the queue, due at once: the failures at its end are dropped as for another attempt, its attempts go up by one, its retries count anew. Null when it is unknown or something else. */
  resumeExecution(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly gates: Gates | null;
    readonly now: number;
  }): Promise<Execution | null>;
  /** What the deliveries used that were dropped for further attempts of an execution. Those of nested executions that go on are left out: they count in the end of these. */
  droppedUsage(params: { readonly executionId: string }): Promise<SpentUsage>;
  /** How many executions of an account have a status; flat in their number. */
  countExecutions(params: { readonly accountId: string; readonly status: ExecutionState["status"] }): Promise<number>;
}
