import { fail } from "../../../../runtime/index.ts";
import type { GraphFields, GraphWorkflow } from "../../../engine/graphs/graph-service.ts";
import { partsOf } from "../../../graph/to-document.ts";
import type { DialectDeps, Request } from "../dialect.ts";
import { bodyOf, optionalText, refuse } from "../graph-views/body.ts";
import { toDetail } from "./views.ts";

type Fields = Readonly<Record<string, unknown>>;

const MAX_CATEGORY = 100;
const GRAPH_MEMBERS = ["nodes", "connections", "edges", "settings"];

const invalid = (path: string, message: string) =>
  fail("INVALID_WORKFLOW_SCHEMA", { message: `${path}: ${message}`, problems: [{ path, message }] });

/** What a draft says beside its graph. */
export function fieldsOf(body: Fields): GraphFields {
  const [name, description, category] = ["name", "description", "category"].map((member) => optionalText(body, member));
  const { public: isPublic } = body;
  if (name?.trim() === "") throw invalid("name", "must not be empty");
  if (category !== undefined && category.length > MAX_CATEGORY)
    throw refuse("category", `must have at most ${MAX_CATEGORY} characters`, category.length);
  if (isPublic !== undefined && isPublic !== null && typeof isPublic !== "boolean")
    throw refuse("public", "must be true or false", isPublic);
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(category === undefined ? {} : { category: category === "" ? null : category }),
    ...(typeof isPublic === "boolean" ? { isPublic } : {}),
  };
}

/** True for a body that has a graph: the path is shared with uploads of scripts. */
export const isDraft = (body: unknown): boolean =>
  typeof body === "object" && body !== null && ("nodes" in body || "connections" in body);

/** Stores a draft as a new workflow. */
export async function createDraft(
  { graphs, account }: DialectDeps,
  request: Request,
): Promise<Record<string, unknown>> {
  const body = bodyOf(request);
  const { name, ...fields } = fieldsOf(body);
  if (name === undefined) throw invalid("name", "is required");
  const accountId = account(request).id;
  const made = await graphs.create({ ...fields, accountId, name, dialect: "solcognia", document: body });
  return toDetail(made, made.warnings);
}

/** Members of the graph that a draft leaves out stay as they are. */
function documentOf(body: Fields, { graph }: GraphWorkflow): Fields {
  if (graph === null) return body;
  const { nodes, edges, settings } = partsOf(graph);
  const given = Object.fromEntries(GRAPH_MEMBERS.filter((name) => name in body).map((name) => [name, body[name]]));
  const kept = "edges" in body || "connections" in body ? {} : { connections: edges };
  return { nodes, ...kept, settings, ...given };
}

/** Changes a workflow: what is there replaces what was there. */
export async function replaceDraft(deps: DialectDeps, request: Request, key: string): Promise<Record<string, unknown>> {
  const { graphs, account } = deps;
  const body = bodyOf(request);
  const fields = fieldsOf(body);
  const target = { accountId: account(request).id, key };
  const known = await graphs.find(target);
  if (!GRAPH_MEMBERS.some((name) => name in body)) return toDetail(await graphs.update({ ...target, ...fields }));
  const isKept = !("nodes" in body) && known.graph !== null;
  const dialect = isKept ? (known.graph?.dialect ?? "solcognia") : "solcognia";
  const saved = await graphs.saveGraph({
    ...target,
    ...fields,
    dialect,
    document: inForm(documentOf(body, known), dialect),
  });
  return toDetail(saved, saved.warnings);
}

/** Nodes are called blocks in a graph of Powabase. */
function inForm(document: Fields, dialect: string): Fields {
  const { nodes, connections, edges, settings } = document;
  if (dialect === "powabase") return { blocks: nodes, edges: edges ?? connections, settings };
  return dialect === "motte" ? { nodes, edges: edges ?? connections, settings } : document;
}
