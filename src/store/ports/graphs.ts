import type { Page, Workflow } from "../rows.ts";

/** What the graph APIs know of a workflow beside its settings; there is one for every workflow that they were asked for. */
export interface GraphFacts {
  readonly workflowId: string;
  readonly accountId: string;
  /** Null: made as a script. */
  readonly dialect: string | null;
  readonly category: string | null;
  /** True: every account may read and copy it. */
  readonly isPublic: boolean;
  readonly color: string | null;
  /** JSON text. */
  readonly variables: string;
  readonly deployed: boolean;
  /** Id of the version that was active when it was deployed last; null = never. */
  readonly publishedVersionId: string | null;
  /** Milliseconds since the epoch; null: its webhook takes no call. */
  readonly armedUntil: number | null;
  /** Counts saved graphs, from 1. */
  readonly revision: number;
  /** The name of the saved state in APIs that have one: `1.0`, `1.1`, … */
  readonly label: string;
}

/** What counts the runs of a workflow; those that were removed since are counted too. */
export interface RunCounts {
  readonly runs: number;
  readonly finished: number;
  readonly completed: number;
  /** Sum over the completed ones. */
  readonly durationMs: number;
  /** Creation of the newest, milliseconds since the epoch; null = there was none. */
  readonly lastRunAt: number | null;
}

/** Stars of a workflow. */
export interface Rating {
  /** Mean of 1 to 5; 0 = nobody rated it. */
  readonly mean: number;
  readonly count: number;
}

/** A workflow in a list of the graph APIs. */
export interface ListedGraph {
  readonly workflow: Workflow;
  /** Null: no graph API was ever asked for it. */
  readonly facts: GraphFacts | null;
  readonly counts: RunCounts;
  readonly rating: Rating;
}

/** A webhook block of a saved graph. */
export interface Trigger {
  /** UUID, unique in the server. */
  readonly id: string;
  readonly workflowId: string;
  readonly accountId: string;
  readonly nodeId: string;
  readonly secret: string;
  /** False: while it is deployed it takes any number of calls. */
  readonly singleUse: boolean;
}

/** Graphs: documents per version, what the graph APIs know of workflows, ratings, triggers. */
export interface GraphStore {
  /** Makes or changes the facts of a workflow; absent members keep their value. CONFLICT where a trigger's id belongs to another node; WORKFLOW_NOT_FOUND. Called in the turn of `addVersion` it commits along with it. */
  putGraphFacts(
    params: Partial<GraphFacts> &
      Pick<GraphFacts, "workflowId" | "accountId"> & {
        readonly now: number;
        /** The document (JSON text) of a version; one that is there already is replaced. */
        readonly document?: { readonly versionId: string; readonly text: string };
        /** All triggers that it has from now on. */
        readonly triggers?: readonly Omit<Trigger, "workflowId" | "accountId">[];
      },
  ): Promise<GraphFacts>;
  findGraphFacts(params: { readonly accountId: string; readonly workflowId: string }): Promise<GraphFacts | null>;
  /** Facts of a public workflow of any account. */
  findPublicGraph(params: { readonly workflowId: string }): Promise<ListedGraph | null>;
  /** The document of a version; null for one of a script. */
  graphDocument(params: { readonly accountId: string; readonly versionId: string }): Promise<string | null>;
  /** Workflows of the account (without those of agents), and with `withPublic` the public ones of others. */
  listGraphs(params: {
    readonly accountId: string;
    readonly withPublic: boolean;
    readonly category: string | null;
    /** Part of the name, in any case. */
    readonly query: string | null;
    readonly sort: "created_at" | "name" | "updated_at" | "last_run_at";
    readonly order: "asc" | "desc";
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<ListedGraph>>;
  runCounts(params: { readonly accountId: string; readonly workflowId: string }): Promise<RunCounts>;
  /** One rating per account and workflow; the later replaces the earlier. */
  rateWorkflow(params: {
    readonly accountId: string;
    readonly workflowId: string;
    readonly stars: number;
    readonly now: number;
  }): Promise<Rating>;
  ratingOf(params: { readonly workflowId: string }): Promise<Rating>;
  findTrigger(params: { readonly triggerId: string }): Promise<Trigger | null>;
  /** Closes the open window of a workflow and says true; one of many callers at once hears true. Durable when it resolves. */
  takeArm(params: { readonly workflowId: string; readonly now: number }): Promise<boolean>;
}
