import type { WebhookEndpoint } from "../../../engine/types.ts";
import { toEventType } from "../../../engine/webhooks/message.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";
import {
  ENDPOINT_CHANGE_SCHEMA,
  type EndpointBody,
  NEW_ENDPOINT_SCHEMA,
  toEndpointMembers,
  toEndpointRule,
} from "./webhook-body.ts";

const BASE = "/api/v1/webhooks";
const tags = ["webhooks"];
const params = { type: "object", properties: { id: { type: "string", description: "`whk_<32 hex digits>`" } } };

async function toView({ workflows }: DialectDeps, endpoint: WebhookEndpoint): Promise<Record<string, unknown>> {
  const { accountId, workflowIds } = endpoint;
  const found = await Promise.all((workflowIds ?? []).map((key) => workflows.find({ accountId, key })));
  return {
    id: endpoint.id,
    object: "webhook",
    url: endpoint.url,
    description: endpoint.description,
    events: endpoint.events.map(toEventType),
    workflows: workflowIds === null ? null : found.map(({ ref }) => ref),
    enabled: endpoint.enabled,
    disabled_reason: endpoint.disabledReason,
    created_at: endpoint.createdAt / 1_000,
    updated_at: endpoint.updatedAt / 1_000,
    deliveries_url: `/api/v1/webhook-deliveries?webhook=${endpoint.id}`,
  };
}

function keyOf(deps: DialectDeps, request: Request) {
  const { id } = request.params as { readonly id: string };
  return { accountId: deps.account(request).id, endpointId: id };
}

function registerReading(app: App, deps: DialectDeps): void {
  const { webhooks } = deps;
  const list = { tags, summary: "List webhooks, newest first", querystring: PAGE_SCHEMA };
  app.get(BASE, { schema: list }, async (request) => {
    const page = pageOf(request.query as PageQuery);
    const { items, total } = await webhooks.list({ accountId: deps.account(request).id, ...page });
    return { data: await Promise.all(items.map((one) => toView(deps, one))), pagination: { total, ...page } };
  });
  app.get(`${BASE}/:id`, { schema: { tags, summary: "One webhook", params } }, async (request) => ({
    data: await toView(deps, await webhooks.find(keyOf(deps, request))),
  }));
}

function registerChanging(app: App, deps: DialectDeps): void {
  const { webhooks } = deps;
  const create = {
    tags,
    summary: "Be told of runs; the secret is shown in this answer only",
    body: NEW_ENDPOINT_SCHEMA,
  };
  app.post(BASE, { schema: create }, async (request) => {
    const rule = toEndpointRule(request.body as EndpointBody & { readonly url: string });
    const { endpoint, secret } = await webhooks.create({ accountId: deps.account(request).id, rule });
    return { data: { ...(await toView(deps, endpoint)), secret } };
  });
  const change = {
    tags,
    summary: "Change a webhook; absent fields keep their value",
    params,
    body: ENDPOINT_CHANGE_SCHEMA,
  };
  app.patch(`${BASE}/:id`, { schema: change }, async (request) => {
    const changes = toEndpointMembers(request.body as EndpointBody);
    return { data: await toView(deps, await webhooks.update({ ...keyOf(deps, request), changes })) };
  });
  const remove = { tags, summary: "Delete a webhook; its log stays for a week", params };
  app.delete(`${BASE}/:id`, { schema: remove }, async (request) => {
    await webhooks.remove(keyOf(deps, request));
    return { data: { deleted: true } };
  });
}

function registerSecrets(app: App, deps: DialectDeps): void {
  const { webhooks } = deps;
  const rotate = {
    tags,
    summary: "Make a new secret, shown in this answer only; the former one signs as well for a day",
    params,
  };
  app.post(`${BASE}/:id/rotate`, { schema: rotate }, async (request) => {
    const { endpoint, secret } = await webhooks.rotate(keyOf(deps, request));
    return { data: { ...(await toView(deps, endpoint)), secret } };
  });
  const own = {
    tags,
    summary: "Make the account's own secret, shown in this answer only: it signs callbacks of calls without secret_id",
  };
  app.post(`${BASE}/secret/rotate`, { schema: own }, async (request) => ({
    data: { secret: await webhooks.renewSecret(deps.account(request).id) },
  }));
}

/** Webhooks out: who is told of runs. */
export function registerWebhooks(app: App, deps: DialectDeps): void {
  registerReading(app, deps);
  registerChanging(app, deps);
  registerSecrets(app, deps);
}
