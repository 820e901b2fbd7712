import type { CtxData, OpMeter } from "../../runtime/index.ts";
import type { Excerpt, TraceEntry } from "../store/store.ts";
import type { Execution } from "./types.ts";

/** All that is known of one run; the secrets in it were hidden before it was stored. */
export interface RunDetail {
  readonly execution: Execution;
  /** Id of the run whose result the cache gave to this one; null when it ran itself, or when that is not known. */
  readonly resultOf: string | null;
  /** What the caller sent; env is the workflow's own and stays out. */
  readonly asked: Pick<CtxData, "input" | "messages" | "params" | "metadata">;
  /** Milliseconds. */
  readonly timings: { readonly queuedMs: number; readonly runningMs: number; readonly waitingMs: number };
  /** Ids of the executions it called, the last call first, at most 100. */
  readonly children: readonly string[];
}

/** A ctx call that has not finished. */
export interface OpenSpan {
  readonly pos: number;
  readonly op: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly childId: string | null;
}

/** Part of a trace. */
export interface TracePage {
  readonly spans: readonly TraceEntry[];
  /** Where to go on; null at the end so far. */
  readonly next: number | null;
  /** Calls under way, as far as they are known here: nested workflows. Only with the last part. */
  readonly open: readonly OpenSpan[];
}

/** What a trace is asked for. */
export interface TraceQuery {
  readonly accountId: string;
  readonly executionId: string;
  /** Number of the first delivery. */
  readonly from: number;
  readonly limit: number;
  /** Longest text of arguments and results, in UTF-16 units. */
  readonly maxChars: number;
}

export type { Excerpt, OpMeter, TraceEntry };
