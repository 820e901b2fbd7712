import type { Graph, GraphDialect, InputField } from "../../graph/types.ts";
import type { GraphFacts, ListedGraph, Store, Version, Workflow } from "../../store/store.ts";
import { toJsonSchema } from "../schema.ts";
import type { GraphWorkflow } from "./graph-service.ts";

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The UUID of a workflow's `wf_<32 hex digits>`; anything else stays as it is. */
export function toWorkflowKey(key: string): string {
  const match = /^wf_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(key.toLowerCase());
  return match === null ? key : match.slice(1).join("-");
}

/** The graph of a version; null for a script. */
export async function readGraph(
  store: Store,
  version: Pick<Version, "accountId" | "id"> | null,
): Promise<Graph | null> {
  if (version === null) return null;
  const text = await store.graphDocument({ accountId: version.accountId, versionId: version.id });
  return text === null ? null : (JSON.parse(text) as Graph);
}

const NO_FACTS: Omit<GraphFacts, "workflowId" | "accountId"> = {
  ...{ dialect: null, category: null, isPublic: false, color: null, variables: "{}", deployed: false },
  ...{ publishedVersionId: null, armedUntil: null, revision: 0, label: "1.0" },
};

/** What readers may see of a webhook's secret who do not own it: nothing. */
function withoutSecrets(graph: Graph | null): Graph | null {
  if (graph === null) return null;
  const nodes = graph.nodes.map((node) => {
    const { webhook_secret: _secret, webhook_id: _id, ...config } = node.config;
    return "webhook_secret" in node.config || "webhook_id" in node.config ? { ...node, config } : node;
  });
  return { ...graph, nodes };
}

/** A workflow as the graph APIs see it; `accountId`: who looks. */
export async function toGraphWorkflow(listed: ListedGraph, accountId: string, store: Store): Promise<GraphWorkflow> {
  const { workflow, facts, counts, rating } = listed;
  const known = facts ?? NO_FACTS;
  const { activeVersionId: versionId } = workflow;
  const version = versionId === null ? null : await store.findVersion({ accountId: workflow.accountId, versionId });
  const graph = await readGraph(store, version);
  const isOwn = workflow.accountId === accountId;
  return {
    workflow,
    version,
    graph: isOwn ? graph : withoutSecrets(graph),
    dialect: known.dialect as GraphDialect | null,
    category: known.category,
    isPublic: known.isPublic,
    isOwn,
    color: known.color,
    variables: JSON.parse(known.variables) as Fields,
    deployed: known.deployed,
    armedUntil: known.armedUntil,
    revision: known.revision,
    label: known.label,
    publishedVersionId: known.publishedVersionId,
    counts,
    rating: rating.mean,
  };
}

/** All that a list shows of one workflow. */
export async function listedOf(workflow: Workflow, store: Store): Promise<ListedGraph> {
  const { accountId, id: workflowId } = workflow;
  const [facts, counts, rating] = await Promise.all([
    store.findGraphFacts({ accountId, workflowId }),
    store.runCounts({ accountId, workflowId }),
    store.ratingOf({ workflowId }),
  ]);
  return { workflow, facts, counts, rating };
}

const TYPES: Readonly<Record<string, InputField["type"]>> = {
  string: "text",
  number: "number",
  integer: "number",
  boolean: "boolean",
};

function fieldOf(name: string, schema: unknown, isRequired: boolean): InputField {
  const { type, title, description, default: usual, enum: options } = isFields(schema) ? schema : {};
  const one = Array.isArray(type) ? type.find((each) => each !== "null") : type;
  const known = typeof one === "string" && Object.hasOwn(TYPES, one) ? TYPES[one] : undefined;
  return {
    name,
    type: Array.isArray(options) ? "select" : (known ?? "json"),
    label: typeof title === "string" ? title : null,
    description: typeof description === "string" ? description : null,
    required: isRequired,
    ...(usual === undefined ? {} : { default: usual }),
    options: Array.isArray(options) ? options : null,
  };
}

/** Inputs that a run takes: those of the graph, or what a script's input schema says. */
export function inputsOf({
  graph,
  version,
  workflow,
}: Pick<GraphWorkflow, "graph" | "version" | "workflow">): readonly InputField[] {
  if (graph !== null) return graph.inputs;
  const schema = toJsonSchema(version?.facts.inputSchema ?? workflow.inputSchema);
  if (!isFields(schema) || !isFields(schema["properties"])) return [];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(schema["properties"]).map(([name, one]) => fieldOf(name, one, required.includes(name)));
}
