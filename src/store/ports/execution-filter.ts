import type { ExecutionMode, ExecutionState, ListedExecution } from "../rows.ts";

/** Which executions a list has; an absent member does not restrict it. Times are milliseconds since the epoch. */
export interface ExecutionFilter {
  readonly workflowId?: string;
  /** One of these. */
  readonly statuses?: readonly ExecutionState["status"][];
  /** Made at this time or later. */
  readonly createdFrom?: number;
  /** Made earlier than this. */
  readonly createdBefore?: number;
  /** Ended at this time or later. */
  readonly finishedFrom?: number;
  /** Ended earlier than this. */
  readonly finishedBefore?: number;
  readonly sessionId?: string;
  readonly parentId?: string;
  readonly cached?: boolean;
  readonly mode?: ExecutionMode;
  readonly minCostUsd?: number;
  readonly maxCostUsd?: number;
  readonly error?: ErrorFilter;
  /** Members of the caller's metadata: a text, or the JSON text of any other value. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Ended with one of these codes (the catalogue's or the script's own), or in a ctx call whose name begins so. */
export interface ErrorFilter {
  readonly codes: readonly string[];
  readonly opPrefix: string | null;
}

/** A place in a list: everything of it and before it was given; rows that are added or removed do not move it. */
export interface ListPosition {
  /** What the list is sorted by. */
  readonly key: number;
  readonly number: number;
}

/** One page of a list of executions. */
export interface ExecutionPage {
  /** May be fewer than asked for although the list goes on: the search for rare matches is bounded per call. */
  readonly items: readonly ListedExecution[];
  /** How many there are in all; null where counting would mean looking at each. */
  readonly total: number | null;
  /** Where to go on; null at the end. */
  readonly next: ListPosition | null;
}
