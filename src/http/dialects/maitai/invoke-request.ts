import { fail } from "../../../../runtime/index.ts";
import type { CacheMode, InvokeRequest } from "../../../engine/engine.ts";
import { MAX_PRIORITY, MIN_PRIORITY } from "../../../engine/priority.ts";
import { BEGIN_FIELDS, type BeginFields, toRunAt } from "./begin-time.ts";
import { AMOUNTS_SCHEMA, type AmountsBody, toAmounts } from "./budgets.ts";
import { idempotencyKeyOf } from "./idempotency-key.ts";
import { CALL_WEBHOOK_SCHEMA, type CallWebhookBody, toCallWebhook } from "./webhook-body.ts";

/** Body of an invoke call, as its schema has checked it. */
export interface InvokeBody extends BeginFields {
  readonly model: string;
  readonly messages?: readonly unknown[] | null;
  readonly input?: unknown;
  readonly session_id?: string | null;
  readonly stream?: boolean | null;
  readonly secrets?: Readonly<Record<string, string>> | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly no_cache?: boolean;
  readonly cache?: CacheMode;
  readonly background?: boolean;
  readonly timeout_seconds?: number;
  readonly on_disconnect?: "continue" | "cancel";
  readonly webhook_url?: string | null;
  readonly webhook?: CallWebhookBody | null;
  readonly priority?: number | null;
  readonly budget?: Partial<AmountsBody> | null;
}

const nullable = (type: string) => ({ type: [type, "null"] });

/** JSON Schema of the body; every key it does not name is an inference parameter and reaches the script as `ctx.params`. */
export const INVOKE_SCHEMA = {
  type: "object",
  required: ["model"],
  properties: {
    model: {
      type: "string",
      description: "`workflow:<ref>` or `workflow:<ref>@<version>`",
      examples: ["workflow:hello"],
    },
    messages: { type: ["array", "null"], items: { type: "object" }, description: "Chat messages (OpenAI format)." },
    input: { description: "Any JSON; `ctx.input`. Required unless messages are given." },
    session_id: nullable("string"),
    stream: {
      ...nullable("boolean"),
      description: "Without it and `background` the workflow's `execution_mode` decides; false waits for the answer.",
    },
    secrets: {
      type: ["object", "null"],
      additionalProperties: { type: "string" },
      description: "Values for this run only; never stored.",
    },
    metadata: nullable("object"),
    no_cache: { type: "boolean", description: "Same as cache: no-store." },
    cache: { type: "string", enum: ["default", "no-store", "reload"] },
    background: {
      type: "boolean",
      description: "Answer 202 with a run at once; poll GET /api/v1/runs/{id}. False waits.",
    },
    timeout_seconds: { type: "number", exclusiveMinimum: 0, description: "At most the workflow's own timeout." },
    on_disconnect: { type: "string", enum: ["continue", "cancel"] },
    webhook_url: { ...nullable("string"), description: "Told when the run has ended: `webhook` with a url alone." },
    webhook: CALL_WEBHOOK_SCHEMA,
    priority: {
      type: ["integer", "null"],
      minimum: MIN_PRIORITY,
      maximum: MAX_PRIORITY,
      description: "Order in the queue, higher first; 0 by default.",
    },
    budget: {
      ...AMOUNTS_SCHEMA,
      type: ["object", "null"],
      description: "The most that the run and those it calls may spend; the script's own budget stays the ceiling.",
    },
    ...BEGIN_FIELDS,
  },
} as const;

const OWN_KEYS = new Set<string>(Object.keys(INVOKE_SCHEMA.properties));
/** Kept in ctx.params as well: scripts look at it there. */
const SHARED_KEYS = new Set(["stream"]);
const MODEL = /^workflow:([A-Za-z0-9][A-Za-z0-9_.-]{0,63})(?:@([A-Za-z0-9][A-Za-z0-9.+-]{0,63}))?$/;
const RETRY_HEADER = "x-stainless-retry-count";

function invalid(code: string, param: string, message: string): Error {
  return fail("INVALID_REQUEST", { message, code, param });
}

/** Ref and version of a `model` text; throws INVALID_REQUEST with code `invalid_model`. */
export function parseModel(model: string): { readonly ref: string; readonly version: string | null } {
  const match = MODEL.exec(model);
  if (match?.[1] === undefined) {
    throw invalid(
      "invalid_model",
      "model",
      `model: must be "workflow:<ref>" or "workflow:<ref>@<version>", got ${JSON.stringify(model.slice(0, 100))}`,
    );
  }
  return { ref: match[1], version: match[2] ?? null };
}

function paramsOf(body: InvokeBody): Record<string, unknown> {
  const isParam = ([name, value]: [string, unknown]) =>
    !OWN_KEYS.has(name) || (SHARED_KEYS.has(name) && value !== null);
  // Unlike an assignment this keeps a key called __proto__ as data.
  return Object.fromEntries(Object.entries(body).filter(isParam));
}

const modeOf = (body: InvokeBody): InvokeRequest["mode"] => {
  if (body.background === true && body.stream === true) {
    const message = "background: cannot be combined with stream; read the chunks of the run instead";
    throw invalid("invalid_request", "background", message);
  }
  if (body.background === true) return "background";
  if (body.stream === true) return "stream";
  // Whoever says no to one of them wants to wait; who says nothing gets what the workflow is meant for.
  return (body.background ?? body.stream ?? null) === null ? null : "sync";
};

/** Who calls, and under which request id. */
export interface Caller {
  readonly accountId: string;
  /** Name of the API key. */
  readonly key: string;
  readonly requestId: string;
}

/** Translates an invoke call; throws INVALID_REQUEST naming the field. */
export function toInvokeRequest(
  body: InvokeBody,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  caller: Caller,
): InvokeRequest {
  const { ref, version } = parseModel(body.model);
  const hasInput = "input" in body && body.input !== null;
  const messages = body.messages ?? [];
  if (!hasInput && messages.length === 0) {
    throw invalid("missing_input", "input", "input: is required unless messages are given");
  }
  return {
    ...caller,
    ref,
    version,
    input: hasInput ? body.input : undefined,
    messages,
    params: paramsOf(body),
    metadata: body.metadata ?? {},
    secrets: body.secrets ?? {},
    sessionId: body.session_id ?? null,
    mode: modeOf(body),
    cache: body.cache ?? (body.no_cache === true ? "no-store" : "default"),
    timeoutMs: body.timeout_seconds === undefined ? null : Math.ceil(body.timeout_seconds * 1_000),
    onDisconnect: body.on_disconnect ?? null,
    webhook: toCallWebhook(body),
    priority: body.priority ?? 0,
    runAt: toRunAt(body),
    budget: toAmounts("budget", body.budget),
    retry: Number(headers[RETRY_HEADER] ?? 0) >= 1,
    idempotencyKey: idempotencyKeyOf(headers),
  };
}
