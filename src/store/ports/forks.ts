import type { JournalRecord } from "../../../runtime/index.ts";
import type { NewExecution } from "../rows.ts";
import type { Gates } from "./jobs.ts";

/** Where a forked execution comes from. */
export interface Fork {
  /** UUID of the execution whose deliveries it began with; that one may be gone. */
  readonly originId: string;
  /** Ctx calls with a position below this were taken over. */
  readonly at: number;
  /** Start of the guest's clock, ms since the epoch: the origin's. */
  readonly clockAt: number;
  /** Hash of the request, for one with an idempotency key: the same key with another request is refused; null otherwise. */
  readonly asked: string | null;
}

/** Executions that begin with what another one recorded. */
export interface ForkStore {
  /** Stores a queued execution that begins with `records` (numbered from 0), in one commit, behind its gates; WORKFLOW_NOT_FOUND, CONFLICT when the id is taken. */
  enqueueFork(params: {
    readonly execution: NewExecution;
    readonly fork: Fork;
    readonly records: readonly JournalRecord[];
    readonly gates: Gates | null;
  }): Promise<void>;
  /** Null for an execution that is no fork. */
  findFork(params: { readonly executionId: string }): Promise<Fork | null>;
}
