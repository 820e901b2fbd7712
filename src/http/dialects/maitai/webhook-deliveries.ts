import { fail } from "../../../../runtime/index.ts";
import type { Delivery, DeliveryAttempt } from "../../../engine/types.ts";
import { parseExecutionId, toExecId } from "../../ids.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";

const BASE = "/api/v1/webhook-deliveries";
const tags = ["webhooks"];
const params = { type: "object", properties: { id: { type: "string", description: "`msg_<32 hex digits>`" } } };
const LIST_QUERY = {
  ...PAGE_SCHEMA,
  properties: {
    ...PAGE_SCHEMA.properties,
    webhook: { type: "string", description: "Id of a webhook" },
    run: { type: "string", description: "Id of a run" },
  },
};

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000);

function toView(delivery: Delivery): Record<string, unknown> {
  return {
    id: delivery.id,
    object: "webhook.delivery",
    type: delivery.type,
    status: delivery.status,
    url: delivery.url,
    webhook: delivery.endpointId,
    run: toExecId(delivery.executionId),
    attempts: delivery.attempts,
    next_attempt_at: seconds(delivery.dueAt),
    created_at: seconds(delivery.createdAt),
    ended_at: seconds(delivery.endedAt),
  };
}

function toAttemptView({ attempt, at, durationMs, status, error, answer }: DeliveryAttempt): Record<string, unknown> {
  return { attempt, at: seconds(at), duration_ms: durationMs, status, error, answer };
}

function keyOf(deps: DialectDeps, request: Request) {
  const { id } = request.params as { readonly id: string };
  return { accountId: deps.account(request).id, deliveryId: id };
}

/** The log of webhooks, and sending a message again. */
export function registerDeliveries(app: App, deps: DialectDeps): void {
  const { webhooks } = deps;
  const list = { tags, summary: "Deliveries of the last days, newest first", querystring: LIST_QUERY };
  app.get(BASE, { schema: list }, async (request) => {
    const query = request.query as PageQuery & { readonly webhook?: string; readonly run?: string };
    const page = pageOf(query);
    const executionId = query.run === undefined ? null : parseExecutionId(query.run);
    if (query.run !== undefined && executionId === null) throw fail("EXECUTION_NOT_FOUND", { id: query.run });
    const scope = { accountId: deps.account(request).id, endpointId: query.webhook ?? null, executionId };
    return { data: (await webhooks.deliveries({ ...scope, ...page })).map(toView), pagination: page };
  });
  const one = { tags, summary: "One delivery with its message and its attempts", params };
  app.get(`${BASE}/:id`, { schema: one }, async (request) => {
    const { delivery, attempts } = await webhooks.delivery(keyOf(deps, request));
    const log = attempts.map(toAttemptView);
    return { data: { ...toView(delivery), payload: JSON.parse(delivery.payload), log } };
  });
  const replay = { tags, summary: "Send it once more under the same message id", params };
  app.post(`${BASE}/:id/replay`, { schema: replay }, async (request) => ({
    data: toView(await webhooks.replay(keyOf(deps, request))),
  }));
}
