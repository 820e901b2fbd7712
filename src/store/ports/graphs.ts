import type { Page, Workflow } from "../rows.ts";

/** What the graph APIs know of a workflow beside its settings; one that they never changed has none. */
export interface GraphFacts {
  readonly workflowId: string;
  readonly accountId: string;
  /** In whose form its graph was saved last; null: it is a script. */
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
  /** Counts saved graphs. */
  readonly revision: number;
  /** The name of the saved state in APIs that have one: `1.0`, `1.1`, … */
  readonly label: string;
}

/** How the executions of a workflow went, as far as they are kept. */
export interface RunCounts {
  readonly runs: number;
  /** Completed, failed or cancelled. */
  readonly finished: number;
  readonly completed: number;
  /** Mean over the newest completed ones, ms; 0 = there is none. */
  readonly meanMs: number;
  /** Creation of the newest, milliseconds since the epoch; null = there was none. */
  readonly lastRunAt: number | null;
}

/** Stars of a workflow: their mean from 1 to 5 (0 = nobody rated it), and how many rated. */
export interface Rating {
  readonly mean: number;
  readonly count: number;
}

/** A workflow in a list of the graph APIs. */
export interface ListedGraph {
  readonly workflow: Workflow;
  /** Null: no graph API ever changed it. */
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

/** A graph as it is stored with a version. */
export interface GraphDocument {
  readonly versionId: string;
  /** JSON text. */
  readonly text: string;
}

/** What is known of workflows as graphs: documents per version, facts, ratings, webhooks. */
export interface GraphStore {
  /** Makes or changes the facts of a workflow; absent members keep their value. CONFLICT where a trigger's id belongs to another workflow; WORKFLOW_NOT_FOUND. Called in the turn of `addVersion` it commits along with it. */
  putGraph(
    params: Partial<GraphFacts> &
      Pick<GraphFacts, "workflowId" | "accountId"> & {
        /** One that is there already is replaced. */
        readonly document?: GraphDocument;
        /** All triggers that it has from now on. */
        readonly triggers?: readonly Omit<Trigger, "workflowId" | "accountId">[];
      },
  ): Promise<GraphFacts>;
  findGraphFacts(params: { readonly accountId: string; readonly workflowId: string }): Promise<GraphFacts | null>;
  /** A public workflow of whichever account; null for any other. */
  findPublicGraph(params: { readonly workflowId: string }): Promise<ListedGraph | null>;
  /** The document (JSON text) of a version; null for one of a script. */
  graphDocument(params: { readonly accountId: string; readonly versionId: string }): Promise<string | null>;
  /** Workflows of the account (without those of agents), and with `withPublic` the public ones of others. */
  listGraphs(params: {
    readonly accountId: string;
    readonly withPublic: boolean;
    readonly category: string | null;
    /** Part of the name, in any case of ASCII letters. */
    readonly query: string | null;
    readonly sort: "created_at" | "name" | "updated_at" | "last_run_at";
    readonly order: "asc" | "desc";
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<ListedGraph>>;
  runCounts(params: { readonly accountId: string; readonly workflowId: string }): Promise<RunCounts>;
  /** One rating per account and workflow; the later replaces the earlier. WORKFLOW_NOT_FOUND. */
  rateWorkflow(params: {
    readonly accountId: string;
    readonly workflowId: string;
    readonly stars: number;
  }): Promise<Rating>;
  ratingOf(params: { readonly workflowId: string }): Promise<Rating>;
  findTrigger(params: { readonly triggerId: string }): Promise<Trigger | null>;
  /** Closes the open window of a workflow and says true; one of many callers at once hears true. */
  takeArm(params: { readonly workflowId: string; readonly now: number }): Promise<boolean>;
}
