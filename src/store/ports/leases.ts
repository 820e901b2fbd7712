import type { AwaitedCall, Chunk, LogLine, Sleep, Usage } from "../../../runtime/index.ts";
import type { Ending, Execution, Lease } from "../rows.ts";
import type { Shortage } from "./budget-rows.ts";

/** The queue: who holds which execution, and how holders let go of it. */
export interface LeaseStore {
  /** Leases up to `max` runnable executions (queued or waiting with runAt/until due, or running with an expired lease), by priority (higher first), then age, fair between accounts (the one with the fewest running first), at most `perAccount` running each; none below `minPriority` (null = any). Raises their fence. One that someone asked to stop may be among them: `renew` before running it. */
  claim(params: {
    readonly worker: string;
    readonly max: number;
    readonly leaseMs: number;
    readonly now: number;
    readonly perAccount: number;
    readonly minPriority: number | null;
  }): Promise<readonly Execution[]>;
  /** Earliest time at which claim would find something that is not due yet; null when nothing waits. */
  nextDue(): Promise<number | null>;
  /** Extends leases; per lease `ok`, `cancel` (someone asked to stop it) or `lost` (another holder has it). */
  renew(params: {
    readonly worker: string;
    readonly leases: readonly Lease[];
    readonly leaseMs: number;
    readonly now: number;
  }): Promise<readonly ("ok" | "cancel" | "lost")[]>;
  /** Makes every running execution of other workers claimable at once: for stores with a single server, at start. */
  releaseOthers(params: { readonly worker: string }): Promise<number>;
  /** Ends an execution, with its chunks and logs not yet stored; false when the fence is old or it already ended. */
  completeExecution(params: {
    readonly lease: Lease;
    readonly ending: Ending;
    readonly usage: Usage;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
    readonly now: number;
  }): Promise<boolean>;
  /** Parks an execution until a time (null: until an answer comes). `ready`: it can go on at once, because an answer is there or someone asked to stop it; `lost`: the fence is old. */
  waitExecution(params: {
    readonly lease: Lease;
    readonly until: number | null;
    readonly sleeps: readonly Sleep[];
    /** The budget that it waits for; one that was raised since counts as an answer that is there. */
    readonly shortage: Shortage | null;
    /** What it waits for; null when that is too much to keep. */
    readonly calls: readonly AwaitedCall[] | null;
    readonly usage: Usage;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
  }): Promise<"parked" | "ready" | "lost">;
  /** The calls that a parked execution waits for; null when it is not parked or they were not kept. */
  awaitedCalls(params: { readonly executionId: string }): Promise<readonly AwaitedCall[] | null>;
}
