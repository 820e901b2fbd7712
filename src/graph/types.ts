import type { Upload } from "../../runtime/index.ts";

/** The published API whose names and rules a graph was written in. */
export type GraphDialect = "solcognia" | "hatz" | "motte" | "powabase";

/** An object of a document, as it came from JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** What a node does; each dialect has names of its own for these. */
export type NodeKind =
  | "entry"
  | "llm"
  | "agent"
  | "http"
  | "code"
  | "condition"
  | "switch"
  | "memory"
  | "parallel"
  | "pass"
  | "subflow"
  | "approval"
  | "delay"
  | "output";

/** One node. */
export interface GraphNode {
  readonly id: string;
  /** The dialect's name of it, as it was written. */
  readonly type: string;
  readonly kind: NodeKind;
  readonly name: string | null;
  readonly position: { readonly x: number; readonly y: number } | null;
  /** False: it passes on what it gets. */
  readonly enabled: boolean;
  /** As it was written. */
  readonly config: Fields;
}

/** One edge; an edge without route, condition and error is live whenever its source has settled well. */
export interface GraphEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Live when the source took this route (`true`, `if`, `elif_1`, a handle, …). */
  readonly route: string | null;
  /** Text of an expression; live when it is true. */
  readonly condition: string | null;
  /** Live only when the source failed, which then counts as handled. */
  readonly onError: boolean;
  /** The condition as it was written. */
  readonly label: string | null;
  /** What an editor draws with; nothing runs by them. */
  readonly sourceHandle: string | null;
  readonly targetHandle: string | null;
}

/** One input of a run. */
export interface InputField {
  readonly name: string;
  readonly type: "text" | "number" | "boolean" | "select" | "file" | "json";
  readonly label: string | null;
  readonly description: string | null;
  readonly required: boolean;
  /** Undefined = none. */
  readonly default?: unknown;
  readonly options: readonly unknown[] | null;
}

/** Nodes and edges: a graph, or part of one. */
export interface GraphPart {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Numbers that hold for a whole run. */
export interface GraphSettings {
  /** Seconds. */
  readonly timeout: number;
  /** Further attempts after the first, for nodes that say nothing. */
  readonly retry_attempts: number;
  /** Nodes that run at once, those within parallel nodes included. */
  readonly parallel_limit: number;
  /** Starts it by the clock: a cron text, or `{ cron, timezone, input }`, as `config.schedule` of a script. */
  readonly schedule?: unknown;
}

/** One graph, whatever dialect it was written in; the document that is stored. */
export interface Graph extends GraphPart {
  readonly dialect: GraphDialect;
  readonly inputs: readonly InputField[];
  readonly settings: GraphSettings;
}

/** One thing wrong with a document, at a path such as `nodes[1].config.prompt`. */
export interface GraphProblem {
  readonly path: string;
  readonly message: string;
}

/** A graph that was found valid. */
export interface CheckedGraph {
  readonly graph: Graph;
  /** What is legal and perhaps not meant: nodes that nothing leads to, conditions that name nodes which are not upstream. */
  readonly warnings: readonly GraphProblem[];
}

/** A graph as a script: what is bundled, run, and ejected. */
export interface CompiledGraph {
  readonly upload: Upload;
  /** Names of the datastores that its nodes name. */
  readonly datastores: readonly string[];
  /** Path of each uploaded file that holds an author's script → its path in the document, for errors of the bundler. */
  readonly scripts: Readonly<Record<string, string>>;
}

/** Nodes of a graph. */
export const MAX_NODES = 500;
/** Edges of a graph. */
export const MAX_EDGES = 2_000;
/** Bytes of a document as JSON. */
export const MAX_DOCUMENT_BYTES = 262_144;
/** Settings of a graph that says nothing. */
export const DEFAULT_SETTINGS: GraphSettings = Object.freeze({ timeout: 300, retry_attempts: 0, parallel_limit: 5 });
