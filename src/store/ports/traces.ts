import type { OpMeter } from "../../../runtime/index.ts";

/** The beginning of a JSON text. */
export interface Excerpt {
  readonly text: string;
  /** Length of the whole text, in UTF-16 units or, where it was cut, a little less; always over that of a text that was cut. */
  readonly length: number;
}

/** One finished ctx call as the journal has it. */
export interface TraceEntry {
  readonly seq: number;
  readonly pos: number;
  readonly op: string;
  readonly kind: "result" | "error";
  /** The guest's clock when it got the result, milliseconds since the epoch. */
  readonly at: number;
  /** Null for ops without an outside effect. */
  readonly args: Excerpt | null;
  readonly payload: Excerpt;
  readonly meter: OpMeter | null;
  /** The execution that the call started; null when it started none. */
  readonly childId: string | null;
}

/** How long an execution has been parked. */
export interface Parking {
  /** All waits that are over, ms. */
  readonly waitedMs: number;
  /** Since when it waits now, milliseconds since the epoch; null when it does not. */
  readonly parkedAt: number | null;
}

/** What the calls of one node used. */
export interface NodeUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
}

/** Executions as their readers see them. */
export interface TraceStore {
  /** Finished ops in the order in which they were delivered, from delivery `from` on; texts are cut to `maxChars`. `next` is where to go on; null at the end. */
  readTrace(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly from: number;
    readonly limit: number;
    readonly maxChars: number;
  }): Promise<{ readonly entries: readonly TraceEntry[]; readonly next: number | null }>;
  /** What the calls used that were made for nodes of a graph, by node. */
  usageByNode(params: {
    readonly accountId: string;
    readonly executionId: string;
  }): Promise<ReadonlyMap<string, NodeUsage>>;
  readParking(params: { readonly accountId: string; readonly executionId: string }): Promise<Parking | null>;
}
