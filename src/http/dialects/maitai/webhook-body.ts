import { fail } from "../../../../runtime/index.ts";
import type { CallWebhook } from "../../../engine/types.ts";
import { EVENT_TYPES, type EventType, fromEventType } from "../../../engine/webhooks/message.ts";
import type { EndpointRule } from "../../../engine/webhooks/webhook-service.ts";

/** What an endpoint is told of when it does not say. */
const ENDED: readonly EventType[] = ["execution.completed", "execution.failed", "execution.cancelled"];

const EVENTS = {
  type: "array",
  minItems: 1,
  maxItems: EVENT_TYPES.length,
  items: { type: "string", enum: EVENT_TYPES },
  description: `Default: ${ENDED.join(", ")}.`,
} as const;

/** Member `webhook` of an invoke call. */
export interface CallWebhookBody {
  readonly url: string;
  readonly events?: readonly EventType[];
  readonly secret_id?: string | null;
}

/** Its JSON Schema. */
export const CALL_WEBHOOK_SCHEMA = {
  type: ["object", "null"],
  required: ["url"],
  additionalProperties: false,
  properties: {
    url: { type: "string", description: "An http or https address that the public can reach." },
    events: EVENTS,
    secret_id: {
      type: ["string", "null"],
      description:
        "Webhook (`whk_…`) whose secret signs; without it the account's own, see POST /api/v1/webhooks/secret/rotate.",
    },
  },
  description: "Who is told of this run, signed as Standard Webhooks.",
} as const;

/** The webhook of a call, or null; INVALID_REQUEST when it is given twice. */
export function toCallWebhook(body: {
  readonly webhook_url?: string | null;
  readonly webhook?: CallWebhookBody | null;
}): CallWebhook | null {
  const url = body.webhook_url ?? null;
  const webhook = body.webhook ?? null;
  if (url !== null && webhook !== null) {
    throw fail("INVALID_REQUEST", { message: "webhook_url: cannot be combined with webhook", param: "webhook_url" });
  }
  const given = webhook ?? (url === null ? null : { url });
  if (given === null) return null;
  const { events = ENDED, secret_id: endpointId = null } = given as CallWebhookBody;
  return { url: given.url, events: events.map(fromEventType), endpointId };
}

/** Body of a new endpoint or of a change. */
export interface EndpointBody {
  readonly url?: string;
  readonly description?: string;
  readonly events?: readonly EventType[];
  readonly workflows?: readonly string[] | null;
  readonly enabled?: boolean;
}

const RULES = {
  url: CALL_WEBHOOK_SCHEMA.properties.url,
  description: { type: "string" },
  events: EVENTS,
  workflows: {
    type: ["array", "null"],
    items: { type: "string" },
    description: "Ref names, numbers or UUIDs of the workflows it is told of; all without it.",
  },
  enabled: { type: "boolean" },
} as const;

/** JSON Schema of a new endpoint. */
export const NEW_ENDPOINT_SCHEMA = {
  type: "object",
  required: ["url"],
  additionalProperties: false,
  properties: RULES,
} as const;

/** JSON Schema of a change. */
export const ENDPOINT_CHANGE_SCHEMA = {
  type: "object",
  minProperties: 1,
  additionalProperties: false,
  properties: RULES,
} as const;

/** The members of an endpoint that a body names. */
export function toEndpointMembers({ events, ...rest }: EndpointBody): Partial<EndpointRule> {
  return { ...rest, ...(events === undefined ? {} : { events: events.map(fromEventType) }) };
}

/** A new endpoint with defaults. */
export function toEndpointRule(body: EndpointBody & { readonly url: string }): EndpointRule {
  const { events = ENDED, description = "", workflows = null, enabled = true, url } = body;
  return { url, description, workflows, enabled, events: events.map(fromEventType) };
}
