// The module "weft/graph": a graph of nodes as a script. `weft graph eject` writes scripts that use it.

// biome-ignore lint/suspicious/noExplicitAny: values of nodes are whatever nodes return
export type Untyped = any;

/** What the functions of nodes and edges see. */
export interface GraphScope {
  /** Input of the run, defaults filled in. */
  readonly input: Untyped;
  /** `ctx.metadata`, and the session's id. */
  readonly context: Untyped;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Values of the nodes that have settled, by id. */
  readonly nodes: Untyped;
  /** Values of the nodes that led here, by id. */
  readonly upstream: Untyped;
}
export type Compute = (s: GraphScope) => Untyped;
export interface GraphNode {
  readonly kind: string;
}
export interface NodeOptions {
  /** Name of its type, for events. */
  readonly type: string;
  readonly name?: string;
  /** Further attempts after the first, for failures that may pass. */
  readonly retries?: number;
  readonly timeoutMs?: number;
  /** A failure becomes the value `{ error: { message } }`. */
  readonly onError?: "continue";
  readonly enabled?: false;
}
/** Live when its route was taken, or its condition is true, or (without either) its source settled well. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly route?: string;
  readonly when?: Compute;
  /** Live only when the source failed. */
  readonly onError?: true;
}
export interface GraphPart {
  readonly nodes: Readonly<Record<string, GraphNode>>;
  readonly edges: readonly GraphEdge[];
}
export interface GraphSpec extends GraphPart {
  readonly result: "nodes" | "output" | "response" | "last";
  /** Nodes under way at once. */
  readonly parallelLimit: number;
  readonly retries: number;
  readonly inputName?: string;
  readonly defaults?: object;
  readonly files?: readonly string[];
}
export type Shape = "value" | "output";
export type Answer = "object" | "text" | "block";
/** Makes `execute` of a graph: each node runs once, when all edges to it have settled and one of them is live. */
export function defineGraph(spec: GraphSpec): (ctx: Untyped) => Promise<Untyped>;
export function entry(options: NodeOptions & { readonly shape: Shape; readonly defaults?: object }): GraphNode;
/** A call of a model; `body` as `ctx.chat.completions.create` takes it. */
export function llm(options: NodeOptions & { readonly body: Compute; readonly answer: Answer }): GraphNode;
export function agent(
  options: NodeOptions & {
    readonly params: Compute;
    readonly run: (ctx: Untyped, params: Untyped) => Promise<Untyped>;
    readonly answer: Answer;
  },
): GraphNode;
export function http(
  options: NodeOptions & {
    readonly request: Compute;
    readonly failOnStatus: boolean;
    readonly shape: "data" | "output";
  },
): GraphNode;
export function code(
  options: NodeOptions & { readonly run: (args: Untyped) => Untyped; readonly args: Compute; readonly shape: Shape },
): GraphNode;
export function condition(options: NodeOptions & { readonly test: Compute }): GraphNode;
export function choose(
  options: NodeOptions & {
    readonly cases: readonly { readonly when: Compute; readonly route: string }[];
    readonly otherwise: string | null;
    readonly shape: "matched" | "route";
  },
): GraphNode;
export function memory(
  options: NodeOptions & {
    readonly datastore: string;
    readonly search: Compute;
    readonly threshold: number;
    readonly includeMetadata: boolean;
    readonly sortBy: "similarity" | "time";
    readonly shape: Shape;
  },
): GraphNode;
export function subflow(
  options: NodeOptions & { readonly workflow: Compute; readonly input: Compute; readonly shape: Shape },
): GraphNode;
export function parallel(
  options: NodeOptions & {
    readonly branches: Readonly<Record<string, GraphPart & { readonly owned?: true }>>;
    readonly isLenient: boolean;
    readonly shape: Shape;
  },
): GraphNode;
export function pass(options: NodeOptions & { readonly shape: Shape; readonly value?: Compute }): GraphNode;
export function approve(options: NodeOptions & { readonly question: Compute; readonly shape: Shape }): GraphNode;
export function delay(options: NodeOptions & { readonly duration: Compute; readonly shape: Shape }): GraphNode;
export function output(options: NodeOptions & { readonly render: Compute }): GraphNode;
/** The value at a path of own members: null, or with `look` undefined, where there is none. */
export function at(value: unknown, ...path: readonly unknown[]): Untyped;
export function look(value: unknown, ...path: readonly unknown[]): Untyped;
/** A value within a text. */
export function text(value: unknown): string;
export function textOr(value: unknown, reference: string): string;
export function valueOr(value: unknown, reference: string): Untyped;
export function gathered(upstream: object, name?: string): Untyped;
export function truthy(value: unknown): boolean;
export function safely(test: () => unknown): boolean;
export function both(a: unknown, b: () => unknown): Untyped;
export function either(a: unknown, b: () => unknown): Untyped;
export function not(a: unknown): boolean;
export function neg(a: unknown): number | null;
export function add(a: unknown, b: unknown): Untyped;
export function sub(a: unknown, b: unknown): number | null;
export function mul(a: unknown, b: unknown): number | null;
export function div(a: unknown, b: unknown): number | null;
export function mod(a: unknown, b: unknown): number | null;
export type Comparison = (a: unknown, b: unknown) => boolean;
export const is: Comparison;
export const eq: Comparison;
export const ne: Comparison;
export const lt: Comparison;
export const le: Comparison;
export const gt: Comparison;
export const ge: Comparison;
export const within: Comparison;
/** The same, reading texts as numbers wherever they look like some. */
export const loose: Readonly<Record<"eq" | "ne" | "lt" | "le" | "gt" | "ge" | "within", Comparison>>;
