/** An ended execution that nobody called. */
export interface EndedRoot {
  readonly id: string;
  readonly accountId: string;
  readonly createdAt: number;
  readonly finishedAt: number;
  readonly number: number;
}

/** Removal of single executions. */
export interface RemovalStore {
  /** Removes an ended execution, what it recorded, and the executions that it called, these first; in portions, so that others are served in between. `results`: cached results of their calls, too. Returns their cache keys; null when it is unknown or has not ended. */
  removeExecution(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly results: boolean;
  }): Promise<readonly string[] | null>;
  /** Ended executions of a workflow that nobody called, the oldest first, created after row `after`, without those whose end webhooks are yet to tell; `next` is null at the end. */
  listEndedRoots(params: {
    readonly workflowId: string;
    readonly after: { readonly createdAt: number; readonly number: number } | null;
    readonly limit: number;
  }): Promise<{ readonly items: readonly EndedRoot[]; readonly next: Pick<EndedRoot, "createdAt" | "number"> | null }>;
  /** The oldest of the `keep` newest ended executions of a workflow that nobody called; null when there are not more than these. */
  oldestKept(params: {
    readonly workflowId: string;
    readonly keep: number;
  }): Promise<Pick<EndedRoot, "createdAt" | "number"> | null>;
  /** Ids of all workflows, of every account, by number after `after`. */
  listWorkflowIds(params: {
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly { readonly number: number; readonly id: string; readonly accountId: string }[]>;
}
