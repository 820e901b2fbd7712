/** How a node of a run went. */
export interface NodeState {
  /** Nodes within a parallel node have its id and their branch's before their own: `parent/branch/id`. */
  readonly nodeId: string;
  /** The dialect's name of its type; `script` for a script. */
  readonly type: string;
  readonly kind: string;
  readonly name: string | null;
  readonly status: "running" | "completed" | "failed" | "skipped" | "cancelled";
  /** Milliseconds since the epoch; null for one that was skipped. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Values of the nodes before it, by id; of one that nothing leads to, the run's input. */
  readonly input: unknown;
  readonly output: unknown;
  readonly route: string | null;
  readonly error: { readonly message: string; readonly code: string | null } | null;
  /** True: the failure was taken care of (an error edge, `on_error`). */
  readonly handled: boolean;
  readonly attempts: number;
  /** Metered by the server, failed attempts included. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
  /** Ids of the files that are named in its output. */
  readonly files: readonly string[];
}

/** What readers of a running graph are told. */
export type NodeEvent<N = Omit<NodeState, "input" | "promptTokens" | "completionTokens" | "costUsd" | "files">> =
  | { readonly type: "start"; readonly node: N }
  | { readonly type: "chunk"; readonly nodeId: string; readonly nodeType: string; readonly text: string }
  | { readonly type: "complete"; readonly node: N }
  | { readonly type: "error"; readonly node: N }
  | { readonly type: "skip"; readonly nodeIds: readonly string[] };
