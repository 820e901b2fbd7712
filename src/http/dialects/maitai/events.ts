import { fail } from "../../../../runtime/index.ts";
import type { SentEvent } from "../../../engine/waiting.ts";
import { parseExecutionId } from "../../ids.ts";
import type { App, DialectDeps } from "../dialect.ts";
import { RUN_PARAMS, runTargetOf } from "./run-target.ts";

interface EventBody {
  readonly name: string;
  readonly data?: unknown;
  readonly id?: string;
  readonly ttl_seconds?: number;
  readonly execution_id?: string;
}

/** Longest time that an event may be kept for, seconds: a year. */
const MAX_TTL_SECONDS = 31_536_000;

const EVENT_PROPERTIES = {
  name: { type: "string", description: "What scripts wait for with `ctx.waitFor(name)`" },
  data: { description: "Any JSON; `match` looks into it" },
  id: { type: "string", description: "Your own id: within 24 hours the same event is sent once" },
  ttl_seconds: {
    type: "number",
    minimum: 0,
    maximum: MAX_TTL_SECONDS,
    description: "How long it is kept for runs that wait later; default: not at all, or for one run until that ends",
  },
};

const RUN_EVENT_SCHEMA = {
  type: "object",
  required: ["name"],
  additionalProperties: false,
  properties: EVENT_PROPERTIES,
} as const;

const EVENT_SCHEMA = {
  ...RUN_EVENT_SCHEMA,
  properties: {
    ...EVENT_PROPERTIES,
    execution_id: { type: "string", description: "The only run it is for; default: all of the account that wait" },
  },
} as const;

function toEventView({ id, at, reached, repeated }: SentEvent): object {
  return { data: { id, object: "event", at: at / 1_000, reached, repeated } };
}

/** Events for runs that wait. */
export function registerEvents(app: App, deps: DialectDeps): void {
  const { waiting } = deps;
  const send = async (accountId: string, executionId: string | null, body: EventBody) => {
    const { name, data, id = null, ttl_seconds: ttl } = body;
    const ttlMs = ttl === undefined ? null : ttl * 1_000;
    return toEventView(await waiting.send({ accountId, name, data, id, ttlMs, executionId }));
  };
  const tags = ["runs"];
  app.post(
    "/api/v1/events",
    { schema: { tags, summary: "Send an event to the runs that wait for it", body: EVENT_SCHEMA } },
    (request) => {
      const body = request.body as EventBody;
      const { execution_id: given } = body;
      const executionId = given === undefined ? null : parseExecutionId(given);
      if (given !== undefined && executionId === null) throw fail("EXECUTION_NOT_FOUND", { id: given });
      return send(deps.account(request).id, executionId, body);
    },
  );
  app.post(
    "/api/v1/runs/:id/events",
    { schema: { tags, summary: "Send an event to one run", params: RUN_PARAMS, body: RUN_EVENT_SCHEMA } },
    (request) => {
      const { accountId, executionId } = runTargetOf(deps, request);
      return send(accountId, executionId, request.body as EventBody);
    },
  );
}
