import { fail } from "../../../../runtime/index.ts";
import type { AgentTarget, ReadAgent, ReadVersion } from "../../../engine/agents/agent-service.ts";
import { AGENT_NAME } from "../../../engine/agents/definition.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";

const BASE = "/api/v1/agents";
const tags = ["agents"];
const KEY = { agent: { type: "string", description: "Name or id, `@<version>` for one version" } };
const params = { type: "object", properties: KEY };
const versionParams = {
  type: "object",
  properties: { ...KEY, number: { type: "string", pattern: "^[1-9]\\d{0,8}$" } },
};
const FIELDS = {
  name: { type: "string", pattern: AGENT_NAME },
  description: { type: "string" },
  system_prompt: { type: ["string", "null"] },
  model: { type: ["string", "null"], description: "Default: what `intent`, the application or the server says." },
  intent: { type: ["string", "null"] },
  params: { type: ["object", "null"], description: "Parameters of every model call, such as temperature." },
  tools: {
    type: ["array", "null"],
    items: { type: "object" },
    description:
      "`{ type: http, name, description, parameters, request: { method, url, query, headers, body } }` (texts may hold `{{argument}}`, `{{secrets.NAME}}`, `{{env.NAME}}`), `{ type: workflow, ref }`, `{ type: datastore, datastore }`, `{ type: mcp, server: { url, headers }, allow }`.",
  },
  response_format: { type: ["object", "null"], description: "Answers that do not match are repaired by the model." },
  max_iterations: { type: ["integer", "null"], description: "Calls of the model per answer; default 100." },
  publish_version: { type: "boolean", description: "False: the new version is not made the active one." },
  version_notes: { type: "string", maxLength: 10_000 },
};
const bodyOf = (required: readonly string[]) => ({
  type: "object",
  required,
  additionalProperties: false,
  properties: FIELDS,
});

interface Body extends Readonly<Record<string, unknown>> {
  readonly publish_version?: boolean;
  readonly version_notes?: string;
}

const seconds = (ms: number) => ms / 1_000;

const toVersionView = ({ number, definition, notes, createdAt }: ReadVersion) => ({
  ...definition,
  version: number,
  version_notes: notes,
  version_created_at: seconds(createdAt),
});

const toView = ({ agent, version }: ReadAgent) => ({
  id: agent.id,
  object: "agent",
  ...toVersionView(version),
  active_version: agent.activeVersion,
  newest_version: agent.newestVersion,
  created_at: seconds(agent.createdAt),
  updated_at: seconds(agent.updatedAt),
});

function targetOf(deps: DialectDeps, request: Request): AgentTarget {
  const { agent: key } = request.params as { readonly agent: string };
  return { accountId: deps.account(request).id, key };
}

async function put(deps: DialectDeps, request: Request, name: string | null): Promise<object> {
  const { publish_version: activate = true, version_notes: notes = "", ...fields } = request.body as Body;
  const given = fields["name"];
  if (name !== null && given !== undefined && given !== name) {
    const message = `name: must be ${JSON.stringify(name)}, as in the path, or be left out; an agent cannot be renamed`;
    throw fail("INVALID_REQUEST", { message, param: "name" });
  }
  const accountId = deps.account(request).id;
  const definition = name === null ? fields : { ...fields, name };
  const expects = name === null ? "new" : "any";
  const stored = await deps.agents.put({ accountId, definition, notes, activate, expects });
  return { data: { ...toView(stored), version_created: stored.created } };
}

function registerReading(app: App, deps: DialectDeps): void {
  const { agents } = deps;
  const list = { tags, summary: "List agents, newest first", querystring: PAGE_SCHEMA };
  app.get(BASE, { schema: list }, async (request) => {
    const page = pageOf(request.query as PageQuery);
    const { items, total } = await agents.list({ accountId: deps.account(request).id, ...page });
    return { data: items.map(toView), pagination: { total, ...page } };
  });
  app.get(`${BASE}/:agent`, { schema: { tags, summary: "One agent", params } }, async (request) => ({
    data: toView(await agents.find(targetOf(deps, request))),
  }));
  const versions = { tags, summary: "Versions of an agent, newest first", params, querystring: PAGE_SCHEMA };
  app.get(`${BASE}/:agent/versions`, { schema: versions }, async (request) => {
    const page = pageOf(request.query as PageQuery);
    const { items, total } = await agents.versions({ ...targetOf(deps, request), ...page });
    return { data: items.map(toVersionView), pagination: { total, ...page } };
  });
}

function registerChanging(app: App, deps: DialectDeps): void {
  const { agents } = deps;
  const create = { tags, summary: "Create an agent", body: bodyOf(["name"]) };
  app.post(BASE, { schema: create }, (request) => put(deps, request, null));
  const change = {
    tags,
    summary: "Create an agent or a new version of it",
    description: "The body is the whole definition: absent fields get their defaults.",
    params,
    body: bodyOf([]),
  };
  app.put(`${BASE}/:agent`, { schema: change }, (request) => put(deps, request, targetOf(deps, request).key));
  const activate = { tags, summary: "Make a version the active one: go back, or forward", params: versionParams };
  app.post(`${BASE}/:agent/versions/:number/activate`, { schema: activate }, async (request) => {
    const { number } = request.params as { readonly number: string };
    return { data: toView(await agents.activate({ ...targetOf(deps, request), number: Number(number) })) };
  });
  const remove = { tags, summary: "Delete an agent and its versions; its runs stay", params };
  app.delete(`${BASE}/:agent`, { schema: remove }, async (request) => {
    await agents.remove(targetOf(deps, request));
    return { data: { deleted: true } };
  });
}

/** Definitions of agents. */
export function registerAgents(app: App, deps: DialectDeps): void {
  registerReading(app, deps);
  registerChanging(app, deps);
}
