import { fail } from "../../../../runtime/index.ts";
import type { GraphFields } from "../../../engine/graphs/graph-service.ts";
import { toIso } from "../../ids.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { bodyOf, optionalFields, optionalText, queryNumber, queryText, refuse } from "../graph-views/body.ts";
import { ID_PARAM, idOf, structured, tags } from "./routes.ts";
import { toRow, toWorkflowView } from "./views.ts";

const PATH = "/api/workflows";
const LIMIT = { usual: 50, min: 1, max: 100 };
const OFFSET = { usual: 0, min: 0, max: 1_000_000 };
const SORTS = ["created_at", "name", "updated_at", "last_execution_at"] as const;

const LIST_QUERY = {
  type: "object",
  properties: {
    limit: { type: "string", description: "1 to 100, default 50" },
    offset: { type: "string" },
    q: { type: "string", description: "Part of the name" },
    sort: { type: "string", description: SORTS.join(", ") },
    order: { type: "string", description: "asc or desc" },
  },
} as const;

function oneOf<T extends string>(request: Request, name: string, values: readonly T[], usual: T): T {
  const text = queryText(request, name) ?? usual;
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw refuse(name, `must be one of ${values.join(", ")}`, text);
}

function fieldsOf(request: Request): GraphFields {
  const body = bodyOf(request);
  const texts = ["name", "description", "color"].map((name) => [name, optionalText(body, name)] as const);
  const variables = optionalFields(body, "variables");
  if (body["name"] === "") throw refuse("name", "must not be empty", "");
  return {
    ...Object.fromEntries(texts.filter(([, value]) => value !== undefined)),
    ...(variables === undefined ? {} : { variables }),
  };
}

function registerList(app: App, { graphs, account }: DialectDeps): void {
  const schema = { tags, summary: "List workflows, graphs and scripts", querystring: LIST_QUERY };
  app.get(PATH, { schema }, async (request) => {
    const limit = queryNumber(request, "limit", LIMIT);
    const offset = queryNumber(request, "offset", OFFSET);
    const sort = oneOf(request, "sort", SORTS, "created_at");
    const { items, total } = await graphs.list({
      accountId: account(request).id,
      query: queryText(request, "q"),
      sort: sort === "last_execution_at" ? "last_run_at" : sort,
      order: oneOf(request, "order", ["asc", "desc"], "desc"),
      ...{ limit, offset },
    });
    return { workflows: items.map(toRow), total, limit, offset };
  });
}

function registerChanges(app: App, { graphs, account }: DialectDeps): void {
  const keyOf = (request: Request) => ({ accountId: account(request).id, key: idOf(request) });
  app.post(PATH, { schema: { tags, summary: "Create a workflow without blocks" } }, async (request, reply) => {
    const { name = "", ...fields } = fieldsOf(request);
    if (name.trim() === "") throw fail("INVALID_REQUEST", { message: "Name is required", param: "name" });
    const accountId = account(request).id;
    const made = await graphs.create({ ...fields, accountId, name, dialect: "powabase", document: null });
    reply.code(201);
    return { id: made.workflow.id, name };
  });
  const change = { tags, summary: "Change name, description, color or variables", params: ID_PARAM };
  app.patch(`${PATH}/:id`, { schema: change }, async (request) => {
    const fields = fieldsOf(request);
    const { accountId, key } = keyOf(request);
    if (Object.keys(fields).length === 0)
      throw fail("INVALID_REQUEST", { message: "No fields to update", param: null });
    await graphs.update({ accountId, key, ...fields });
    return { ok: true };
  });
  const remove = { tags, summary: "Delete a workflow and its runs", params: ID_PARAM };
  app.delete(`${PATH}/:id`, { schema: remove }, async (request, reply) => {
    await graphs.remove(keyOf(request));
    return reply.code(204).send();
  });
}

const GRAPH = {
  type: "object",
  properties: {
    blocks: { description: "`{ id, type, config, position, name, enabled }`" },
    edges: { description: "`{ source, target, sourceHandle, targetHandle, condition }`" },
  },
} as const;

function registerGraph(app: App, { graphs, account }: DialectDeps): void {
  const keyOf = (request: Request) => ({ accountId: account(request).id, key: idOf(request) });
  const read = { tags, summary: "A workflow with its blocks and edges", params: ID_PARAM };
  app.get(
    `${PATH}/:id`,
    { schema: read },
    structured(async (request) => toWorkflowView(await graphs.find(keyOf(request)))),
  );
  const save = { tags, summary: "Replace all blocks and edges", params: ID_PARAM, body: GRAPH };
  app.put(
    `${PATH}/:id/graph`,
    { schema: save },
    structured(async (request) => {
      const body = bodyOf(request);
      const key = keyOf(request);
      await graphs.find(key);
      if (!Array.isArray(body["blocks"])) throw refuse("blocks", "must be an array", body["blocks"]);
      const saved = await graphs.saveGraph({ ...key, dialect: "powabase", document: body });
      const { graph, warnings, revision } = saved;
      const counts = { blocks: graph?.nodes.length ?? 0, edges: graph?.edges.length ?? 0 };
      return { ok: true, ...counts, version: revision, ...(warnings.length === 0 ? {} : { warnings }) };
    }),
  );
}

function registerPublishing(app: App, { graphs, account }: DialectDeps): void {
  const keyOf = (request: Request) => ({ accountId: account(request).id, key: idOf(request) });
  const route = (name: string, summary: string, handler: (request: Request) => Promise<unknown>) =>
    app.post(`${PATH}/:id/${name}`, { schema: { tags, summary, params: ID_PARAM } }, handler);
  route("deploy", "Deploy: starter schedules run, lasting webhooks are open", async (request) => {
    await graphs.deploy(keyOf(request));
    return { ok: true, state: "deployed" };
  });
  route("undeploy", "Take back: no schedule, no webhook", async (request) => {
    await graphs.undeploy(keyOf(request));
    return { ok: true, state: "internal" };
  });
  route("arm", "Let the webhook take one call, for ten minutes", async (request) => {
    return { ok: true, armed_until: toIso(await graphs.arm(keyOf(request))) };
  });
}

/** Workflows and their graphs. */
export function registerWorkflows(app: App, deps: DialectDeps): void {
  registerList(app, deps);
  registerChanges(app, deps);
  registerGraph(app, deps);
  registerPublishing(app, deps);
}
