import { fail } from "../../../../runtime/index.ts";
import { changesOf, mergeDocument } from "../../../graph/merge.ts";
import { partsOf, toDocument } from "../../../graph/to-document.ts";
import { toIso, toWorkflowId } from "../../ids.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { bodyOf, flag, isFields, optionalFields, optionalText, refuse } from "../graph-views/body.ts";
import { toWorkflowView } from "./views.ts";

type Fields = Readonly<Record<string, unknown>>;

const tags = ["graphs: motte"];
/** Ids that these routes share with others are told apart by their form. */
const OWN_ID = "/api/workflows/:wf_id(^wf_.*$)";
const OWN_PARAM = {
  type: "object",
  properties: { wf_id: { type: "string", description: "`wf_<32 hex digits>`" } },
} as const;
export const ID_PARAM = {
  type: "object",
  properties: { id: { type: "string", description: "`wf_…`, `exec_…` or UUID" } },
} as const;
const LABEL = /^\d{1,6}(\.\d{1,6}){0,2}$/;

/** The id in the path. */
export const idOf = (request: Request): string => (request.params as { readonly id: string }).id;

const INVALID = (path: string, message: string) =>
  fail("INVALID_WORKFLOW_SCHEMA", { message: `${path}: ${message}`, problems: [{ path, message }] });

function nameOf(body: Fields): string {
  const { name } = body;
  if (typeof name === "string" && name.trim() !== "") return name;
  throw INVALID("name", name === undefined || name === null ? "is required" : "must be a string that is not empty");
}

function labelOf(body: Fields): string {
  const { version = "1.0" } = body;
  if (typeof version === "string" && LABEL.test(version)) return version;
  throw INVALID("version", 'must be a string such as "1.0"');
}

const DOCUMENT = {
  type: "object",
  properties: {
    name: { type: "string" },
    description: { type: "string" },
    version: { type: "string", examples: ["1.0"] },
    nodes: { description: "`{ id, type, position, config }`" },
    edges: { description: "`{ id, from, to, condition }`" },
    settings: { description: "`{ timeout, retry_attempts, parallel_limit }`" },
  },
} as const;

function registerCreate(app: App, { graphs, account }: DialectDeps): void {
  const schema = { tags, summary: "Create a workflow of nodes and edges" };
  app.post("/api/workflows/create", { schema: { ...schema, body: DOCUMENT } }, async (request, reply) => {
    const body = bodyOf(request);
    const name = nameOf(body);
    const description = optionalText(body, "description") ?? "";
    const label = labelOf(body);
    if (!Array.isArray(body["nodes"])) throw INVALID("nodes", "is required, as an array");
    const accountId = account(request).id;
    const made = await graphs.create({ accountId, name, description, label, dialect: "motte", document: body });
    reply.code(201);
    return {
      workflow_id: toWorkflowId(made.workflow.id),
      ref: made.workflow.ref,
      name,
      status: "created",
      version: made.label,
      created_at: toIso(made.workflow.createdAt),
      nodes_count: made.graph?.nodes.length ?? 0,
      edges_count: made.graph?.edges.length ?? 0,
      ...(made.warnings.length === 0 ? {} : { warnings: made.warnings }),
    };
  });
}

function listMember(body: Fields, name: "nodes" | "edges"): readonly Fields[] | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every(isFields)) return value;
  throw INVALID(name, "must be an array of objects");
}

function patchOf(body: Fields) {
  const [nodes, edges] = [listMember(body, "nodes"), listMember(body, "edges")];
  const settings = optionalFields(body, "settings");
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(edges === undefined ? {} : { edges }),
    ...(settings === undefined ? {} : { settings }),
    replace: flag(body, "replace", false),
  };
}

function textsOf(body: Fields): { readonly name?: string; readonly description?: string } {
  const [name, description] = [optionalText(body, "name"), optionalText(body, "description")];
  if (name?.trim() === "") throw refuse("name", "must not be empty", name);
  return { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) };
}

function registerUpdate(app: App, { graphs, account }: DialectDeps): void {
  const summary = "Change a workflow: nodes are merged by id, settings and config member by member";
  const schema = { tags, summary, params: ID_PARAM, body: DOCUMENT };
  app.put("/api/workflows/:id", { schema }, async (request) => {
    const body = bodyOf(request);
    const key = { accountId: account(request).id, key: idOf(request) };
    const known = await graphs.find(key);
    const [patch, texts] = [patchOf(body), textsOf(body)];
    const view = (changes: readonly string[], found = known) => ({
      workflow_id: toWorkflowId(found.workflow.id),
      status: "updated",
      version: found.label,
      updated_at: toIso(found.workflow.updatedAt),
      changes,
    });
    if (known.graph === null) {
      if (patch.nodes === undefined && patch.edges === undefined)
        return view([], await graphs.update({ ...key, ...texts }));
      throw fail("CONFLICT", { message: "This workflow is a script: it has no nodes to change.", param: "nodes" });
    }
    const before = partsOf(known.graph);
    const after = mergeDocument(before, patch);
    const { dialect } = known.graph;
    const changes = changesOf(before, after);
    const saved = await graphs.saveGraph({ ...key, ...texts, dialect, document: documentOf(known.graph, after) });
    return view(changes, saved);
  });
}

/** Inputs that were declared beside the nodes stay. */
function documentOf(graph: Parameters<typeof partsOf>[0], parts: ReturnType<typeof partsOf>): Fields {
  const { dialect, inputs } = graph;
  return { ...toDocument(dialect, parts), ...(dialect === "motte" && inputs.length > 0 ? { inputs } : {}) };
}

/** Workflows: create, read, change, delete. */
export function registerWorkflows(app: App, deps: DialectDeps): void {
  const { graphs, account } = deps;
  registerCreate(app, deps);
  registerUpdate(app, deps);
  const ownId = (request: Request) => (request.params as { readonly wf_id: string }).wf_id;
  const keyOf = (request: Request) => ({ accountId: account(request).id, key: ownId(request) });
  app.get(OWN_ID, { schema: { tags, summary: "One workflow, by its `wf_…` id", params: OWN_PARAM } }, async (request) =>
    toWorkflowView(await graphs.find(keyOf(request))),
  );
  const summary = "Delete a workflow and all its runs, by its `wf_…` id";
  app.delete(OWN_ID, { schema: { tags, summary, params: OWN_PARAM } }, async (request) => {
    const { workflow } = await graphs.find(keyOf(request));
    await graphs.remove(keyOf(request));
    const message = "Workflow and all execution history deleted successfully";
    return { workflow_id: toWorkflowId(workflow.id), status: "deleted", message };
  });
}
