import type { CompiledGraph, Graph, GraphDialect, GraphProblem, InputField } from "../../graph/types.ts";
import type { ExecutionResult, Invocation, InvokeRequest } from "../engine.ts";
import type { Execution, ExecutionState, ListedExecution, Page, RunCounts, Version, Workflow } from "../types.ts";
import type { NodeEvent, NodeState } from "./node-states.ts";

/** A workflow of any kind, as the graph APIs see it. */
export interface GraphWorkflow {
  readonly workflow: Workflow;
  readonly version: Version | null;
  /** The saved graph; null for a script. */
  readonly graph: Graph | null;
  readonly dialect: GraphDialect | null;
  readonly category: string | null;
  readonly isPublic: boolean;
  /** False: a public one of another account, which can be read and copied. */
  readonly isOwn: boolean;
  readonly color: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly deployed: boolean;
  /** Milliseconds since the epoch; null: its webhook takes no call. */
  readonly armedUntil: number | null;
  /** Counts saved graphs. */
  readonly revision: number;
  /** `1.0`, `1.1`, … */
  readonly label: string;
  /** Id of the version that was active at the last deploy; null = never. */
  readonly publishedVersionId: string | null;
  readonly counts: RunCounts;
  /** Mean of 1 to 5, 0 while nobody rated it. */
  readonly rating: number;
}

/** What can be set beside the graph; absent members keep their value. */
export interface GraphFields {
  readonly name?: string;
  readonly description?: string;
  readonly category?: string | null;
  readonly isPublic?: boolean;
  readonly color?: string | null;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** A document in a dialect's own form, not yet checked. */
export interface GraphDocument {
  readonly dialect: GraphDialect;
  readonly document: unknown;
}

/** Which workflow, of whom: UUID, `wf_<32 hex digits>`, ref or number. */
export interface GraphKey {
  readonly accountId: string;
  readonly key: string;
}

/** One call of a workflow by a graph API. */
export interface GraphCall
  extends GraphKey,
    Pick<InvokeRequest, "input" | "requestId" | "timeoutMs" | "onDisconnect" | "webhook" | "idempotencyKey"> {
  /** Name of the API key that calls; null: a webhook. */
  readonly keyName: string | null;
  readonly mode: "sync" | "stream" | "background";
  /** `published`: the version at the last deploy, or the newest where it was never deployed. */
  readonly version: "active" | "published";
  /** Becomes `ctx.metadata`; `context` in a graph. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly sessionId: string | null;
  /** True for runs that must not come from the result cache. */
  readonly fresh: boolean;
}

/** A run with its nodes. */
export interface GraphRun {
  readonly execution: Execution;
  readonly workflow: Workflow;
  /** The graph that it runs; null for a script. */
  readonly graph: Graph | null;
  /** What the caller sent. */
  readonly input: unknown;
  readonly context: Readonly<Record<string, unknown>>;
  /** Null while it goes on. */
  readonly result: ExecutionResult | null;
  /** In the order in which they started, skipped ones last; one named `script` for a script. */
  readonly nodes: readonly NodeState[];
  /** Those that settled, of all: 0 to 1. */
  readonly progress: number;
  /** The first that runs; null = none. */
  readonly currentNode: string | null;
}

/** Graphs and the runs of workflows, as four published APIs know them. Throws WorkflowError. */
export interface GraphService {
  /** Every problem of a document, and what is only strange; INVALID_WORKFLOW_SCHEMA is what `create` and `saveGraph` throw, with them as `details.problems`. */
  check(document: GraphDocument): {
    readonly errors: readonly GraphProblem[];
    readonly warnings: readonly GraphProblem[];
  };
  /** Stores a workflow and its graph (none: an empty one that can be filled later). `label` is its first version's name. */
  create(
    params: GraphFields & {
      readonly accountId: string;
      readonly name: string;
      readonly dialect: GraphDialect;
      readonly document: unknown;
      readonly label?: string;
    },
  ): Promise<GraphWorkflow & { readonly warnings: readonly GraphProblem[] }>;
  /** Replaces the graph; what is stored stays as it is when anything fails. CONFLICT for a script. */
  saveGraph(
    params: GraphKey & GraphDocument & GraphFields,
  ): Promise<GraphWorkflow & { readonly warnings: readonly GraphProblem[]; readonly changed: boolean }>;
  update(params: GraphKey & GraphFields): Promise<GraphWorkflow>;
  /** WORKFLOW_NOT_FOUND; a public one of others is found too, when it is asked for by `withPublic`. */
  find(params: GraphKey & { readonly withPublic?: boolean }): Promise<GraphWorkflow>;
  list(params: {
    readonly accountId: string;
    readonly withPublic?: boolean;
    readonly category?: string | null;
    readonly query?: string | null;
    readonly sort?: "created_at" | "name" | "updated_at" | "last_run_at";
    readonly order?: "asc" | "desc";
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<GraphWorkflow>>;
  /** With its runs; those under way are cancelled first. */
  remove(key: GraphKey): Promise<void>;
  rate(params: GraphKey & { readonly stars: number }): Promise<GraphWorkflow>;
  deploy(key: GraphKey): Promise<GraphWorkflow>;
  undeploy(key: GraphKey): Promise<GraphWorkflow>;
  /** Opens the window of its webhook; resolves to its end, ms since the epoch. */
  arm(key: GraphKey): Promise<number>;
  /** Starts a run of a webhook's workflow, if id, secret and window are right: INVALID_REQUEST, NOT_FOUND, UNAUTHENTICATED, FORBIDDEN. */
  trigger(params: {
    readonly triggerId: string;
    readonly secret: string | null;
    readonly payload: unknown;
    readonly requestId: string;
  }): Promise<Invocation>;
  run(call: GraphCall): Promise<Invocation>;
  /** EXECUTION_NOT_FOUND, also for one of another workflow where `key` is given. */
  readRun(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly key?: string;
  }): Promise<GraphRun>;
  /** Newest first. */
  listRuns(
    params: GraphKey & {
      /** Null: all. */
      readonly statuses: readonly ExecutionState["status"][] | null;
      readonly limit: number;
      readonly offset: number;
    },
  ): Promise<Page<ListedExecution>>;
  /** Events of the nodes of a run, from its beginning to its end, as they come. */
  followRun(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly signal: AbortSignal;
  }): AsyncIterable<NodeEvent>;
  /** The script that a graph is compiled to: readable, and a workflow of its own. CONFLICT for a script. */
  eject(key: GraphKey): Promise<CompiledGraph["upload"]>;
  /** Inputs that a run of it takes: those of the graph, or read from a script's input schema. */
  inputsOf(workflow: GraphWorkflow): readonly InputField[];
}
