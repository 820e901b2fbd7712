/** What the functions of a graph's nodes and edges see. */
export interface Scope {
  /** Input of the run; an entry node's defaults are filled in. */
  readonly input: unknown;
  /** `ctx.metadata`, and the session's id. */
  readonly context: Readonly<Record<string, unknown>>;
  /** `ctx.env` and `ctx.secrets`. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Values of the nodes that have settled, by id; own properties only. A failed node that may fail has `{ error: { message } }`. */
  readonly nodes: Readonly<Record<string, unknown>>;
  /** Values of the nodes with a live edge to this one, by id; of edges: their source alone. */
  readonly upstream: Readonly<Record<string, unknown>>;
}

/** Computes a value from what has settled. */
export type Compute<T = unknown> = (scope: Scope) => T;

/** What every node may say. */
export interface NodeOptions {
  /** The dialect's name of its type, for events. */
  readonly type: string;
  readonly name?: string;
  /** Further attempts after the first; default: the graph's. Only failures that may be repeated are. */
  readonly retries?: number;
  readonly timeoutMs?: number;
  /** `continue`: its value is `{ error: { message } }` when it fails, and plain edges stay live. */
  readonly onError?: "continue";
  /** False: it passes on what it gets. */
  readonly enabled?: false;
}

/** What a node settles with: its value, and the route that edges may ask for. */
export interface Settled {
  readonly value: unknown;
  readonly route?: string;
}

/** What a node may use while it runs; made for each attempt. */
export interface NodeRun {
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly timeoutMs: number | null;
  /** True when the run streams: models may be asked to. */
  readonly streams: boolean;
  readonly ctx: GraphCtx;
  /** Makes ctx calls that count for this node. */
  call<T>(begin: () => T): T;
  /** Tells readers of the run of a piece of its answer. */
  chunk(text: string): void;
  /** Runs part of a graph within this node and the run's limit; ids get the node's and `prefix` before them, or (null) stay as they are and can be named by later nodes. */
  part(
    part: GraphPart,
    prefix: string | null,
  ): { readonly values: Promise<Readonly<Record<string, unknown>>>; stop(): void };
}

/** A node, ready to run; made by `llm`, `http`, `code`, … */
export interface Node extends NodeOptions {
  readonly kind: string;
  /** True for kinds whose failures may be repeated. */
  readonly repeats: boolean;
  run(scope: Scope, node: NodeRun): Promise<Settled> | Settled;
  /** What it settles with all the same once it has failed; absent: it fails. */
  readonly recover?: (error: NodeFailure) => Settled;
}

/** An edge: live when its route was taken, or its condition is true, or (without either) its source settled well. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly route?: string;
  readonly when?: Compute;
  /** Live only when the source failed, which then counts as handled. */
  readonly onError?: true;
}

/** Nodes and edges. */
export interface GraphPart {
  readonly nodes: Readonly<Record<string, Node>>;
  readonly edges: readonly Edge[];
}

/** A whole graph. */
export interface GraphSpec extends GraphPart {
  readonly parallelLimit: number;
  readonly retries: number;
  /** Name of the input that a run called with a text (or with messages alone) gives; absent: the text is the input. */
  readonly inputName?: string;
  /** Fill what the input lacks. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Inputs that are ids of files and become their text. */
  readonly files?: readonly string[];
  /** `nodes`: values of all completed nodes by id; `output`: that of the one output node, by id where there are several; `response`: the `output` member of the response that ran, else null; `last`: that of the nodes that nothing follows. */
  readonly result: "nodes" | "output" | "response" | "last";
}

/** Members of ctx that graphs use. */
export interface GraphCtx {
  readonly input: unknown;
  readonly messages: readonly unknown[];
  readonly params: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly session_id: string;
  readonly [member: string]: unknown;
}

/**
 * Events of a run: chunks (`ctx.emit`) that readers of graph runs are shown, in this order for each node. `at` is the
 * guest's clock, ms since the epoch. A value over {@link MAX_INLINE_CHARS} as JSON comes in `node_output` pieces first.
 */
export type NodeEvent =
  | {
      readonly type: "node_start";
      readonly content: {
        readonly node_id: string;
        readonly node_type: string;
        readonly kind: string;
        readonly at: number;
      };
    }
  | { readonly type: "node_chunk"; readonly content: { readonly node_id: string; readonly chunk: string } }
  | {
      readonly type: "node_retry";
      readonly content: {
        readonly node_id: string;
        readonly attempt: number;
        readonly wait_ms: number;
        readonly error: NodeFailure;
        readonly at: number;
      };
    }
  | {
      readonly type: "node_output";
      readonly content: { readonly node_id: string; readonly part: number; readonly text: string };
    }
  | {
      readonly type: "node_complete";
      readonly content: {
        readonly node_id: string;
        readonly node_type: string;
        readonly kind: string;
        readonly attempts: number;
        readonly at: number;
        readonly route?: string;
        readonly output?: unknown;
        readonly parts?: number;
      };
    }
  | {
      readonly type: "node_error";
      readonly content: {
        readonly node_id: string;
        readonly node_type: string;
        readonly kind: string;
        readonly attempts: number;
        readonly at: number;
        readonly error: NodeFailure;
        readonly handled: boolean;
      };
    }
  | { readonly type: "node_skip"; readonly content: { readonly node_ids: readonly string[]; readonly at: number } };

/** Why a node failed. */
export interface NodeFailure {
  readonly message: string;
  readonly code: string | null;
  readonly status: number | null;
}

/** Longest value of a node within one event, as JSON in UTF-16 units. */
export const MAX_INLINE_CHARS = 60_000;
