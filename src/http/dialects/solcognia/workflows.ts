import { fail } from "../../../../runtime/index.ts";
import { findTemplate, listTemplates, type Template } from "../../../graph/templates/index.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { bodyOf, flag, isFields, optionalFields, queryNumber, queryText, requiredText } from "../graph-views/body.ts";
import { fieldsOf, replaceDraft } from "./drafts.ts";
import { toDetail, toSummary } from "./views.ts";

const tags = ["graphs: solcognia"];
const PATH = "/api/v1/workflows";
/** Ids that these routes share with others are told apart by their form. */
const OWN_ID = `${PATH}/:wf_id(^wf_.*$)`;
const PARAMS = {
  type: "object",
  properties: { wf_id: { type: "string", description: "`wf_<32 hex digits>`" } },
} as const;
const LIMIT = { usual: 20, min: 1, max: 100 };
const OFFSET = { usual: 0, min: 0, max: 1_000_000 };

const idOf = (request: Request): string => {
  const params = request.params as { readonly id?: string; readonly wf_id?: string };
  return params.wf_id ?? params.id ?? "";
};

/** The members of this API in the list of workflows. */
export async function listWorkflows({ graphs, account }: DialectDeps, request: Request) {
  const limit = queryNumber(request, "limit", LIMIT);
  const offset = queryNumber(request, "offset", OFFSET);
  const withPublic = queryText(request, "public");
  if (withPublic !== null && withPublic !== "true" && withPublic !== "false")
    throw fail("INVALID_REQUEST", {
      message: `public: must be true or false, got ${JSON.stringify(withPublic)}`,
      param: "public",
    });
  const { items, total } = await graphs.list({
    accountId: account(request).id,
    withPublic: withPublic === "true",
    category: queryText(request, "category"),
    ...{ limit, offset },
  });
  const page = { workflows: items.map(toSummary), total, has_more: offset + items.length < total };
  return { page, items, limit, offset };
}

const toTemplate = ({ document, ...template }: Template): Record<string, unknown> => ({
  ...template,
  nodes_count: document.nodes.length,
  usage_count: 0,
  rating: 0,
});

function registerTemplates(app: App, deps: DialectDeps): void {
  const list = { tags, summary: "Templates to make workflows from" };
  app.get(`${PATH}/templates`, { schema: list }, async (request) => {
    const limit = queryNumber(request, "limit", LIMIT);
    const offset = queryNumber(request, "offset", OFFSET);
    const category = queryText(request, "category");
    const found = listTemplates().filter((template) => category === null || template.category === category);
    const templates = found.slice(offset, offset + limit).map(toTemplate);
    return { templates, total: found.length, has_more: offset + templates.length < found.length };
  });
  const one = { tags, summary: "One template, with its nodes" };
  app.get(`${PATH}/templates/:template`, { schema: one }, async (request) => {
    const template = templateOf((request.params as { readonly template: string }).template);
    return { ...toTemplate(template), ...template.document };
  });
  const make = { tags, summary: "Make a workflow from a template, or from a public workflow" };
  app.post(`${PATH}/from-template`, { schema: make }, async (request, reply) => {
    reply.code(201);
    return fromTemplate(deps, request, requiredText(bodyOf(request), "template_id"));
  });
  app.post(`${PATH}/templates/:template/create`, { schema: make }, async (request, reply) => {
    reply.code(201);
    return fromTemplate(deps, request, (request.params as { readonly template: string }).template);
  });
}

function templateOf(id: string): Template {
  const template = findTemplate(id);
  if (template !== null) return template;
  throw fail("NOT_FOUND", {
    message: `Template not found: ${id.slice(0, 100)}`,
    code: "template_not_found",
    param: "template_id",
  });
}

interface Source {
  readonly name: string;
  readonly description: string;
  readonly category: string | null;
  readonly nodes: readonly Readonly<Record<string, unknown>>[];
  readonly rest: Readonly<Record<string, unknown>>;
}

async function sourceOf({ graphs, account }: DialectDeps, request: Request, id: string): Promise<Source> {
  if (!id.startsWith("wf_")) {
    const { name, description, category, document } = templateOf(id);
    const { nodes, ...rest } = document;
    return { name, description, category, nodes, rest };
  }
  const found = await graphs.find({ accountId: account(request).id, key: id, withPublic: true });
  const { nodes = [], connections, settings, name, description } = toDetail(found);
  if (found.graph?.dialect !== "solcognia") {
    const message = `${id} was not made with this API: its nodes have other names`;
    throw fail("CONFLICT", { message, param: "template_id" });
  }
  return {
    ...{ name: String(name), description: String(description), category: found.category },
    ...{ nodes: nodes as Source["nodes"], rest: { connections, settings } },
  };
}

/** Members of configs that replace those of the template's nodes. */
function customized({ nodes }: Source, changes: Readonly<Record<string, unknown>>): Source["nodes"] {
  for (const [id, change] of Object.entries(changes)) {
    const path = `customizations.${id}`;
    if (!isFields(change)) throw fail("INVALID_REQUEST", { message: `${path}: must be an object`, param: path });
    if (nodes.some((node) => node["id"] === id)) continue;
    throw fail("INVALID_REQUEST", { message: `${path}: the template has no node of that id`, param: path });
  }
  return nodes.map((node) => {
    const change = changes[String(node["id"])];
    const config = isFields(node["config"]) ? node["config"] : {};
    return isFields(change) ? { ...node, config: { ...config, ...change } } : node;
  });
}

async function fromTemplate(deps: DialectDeps, request: Request, id: string): Promise<Record<string, unknown>> {
  const body = bodyOf(request, true);
  const source = await sourceOf(deps, request, id);
  const nodes = customized(source, optionalFields(body, "customizations") ?? {});
  const given = { name: source.name, description: source.description, category: source.category, ...fieldsOf(body) };
  const isPublic = flag(body, "public", false);
  const made = await deps.graphs.create({
    ...{ ...given, isPublic, accountId: deps.account(request).id, dialect: "solcognia" },
    document: { nodes, ...source.rest },
  });
  return toDetail(made, made.warnings);
}

function registerOne(app: App, deps: DialectDeps): void {
  const { graphs, account } = deps;
  const keyOf = (request: Request) => ({ accountId: account(request).id, key: idOf(request) });
  const read = { tags, summary: "One workflow, by its `wf_…` id", params: PARAMS };
  app.get(OWN_ID, { schema: read }, async (request) =>
    toDetail(await graphs.find({ ...keyOf(request), withPublic: true })),
  );
  const change = { tags, summary: "Change a workflow: what is there replaces what was there", params: PARAMS };
  app.put(OWN_ID, { schema: change }, async (request) => replaceDraft(deps, request, idOf(request)));
  const remove = { tags, summary: "Delete a workflow and its runs, by its `wf_…` id", params: PARAMS };
  app.delete(OWN_ID, { schema: remove }, async (request, reply) => {
    await graphs.remove(keyOf(request));
    return reply.code(204).send();
  });
  const rate = { tags, summary: "Give a workflow 1 to 5 stars" };
  app.post(`${PATH}/:id/rating`, { schema: rate }, async (request) => {
    const { rating } = bodyOf(request);
    return toSummary(await graphs.rate({ ...keyOf(request), stars: rating as number }));
  });
}

/** Workflows and templates. */
export function registerWorkflows(app: App, deps: DialectDeps): void {
  registerTemplates(app, deps);
  registerOne(app, deps);
}
