import type { Deadline } from "../egress/deadline.ts";
import type { Answer, Dispatcher } from "../egress/dispatcher.ts";
import { describeNetworkError, isPassing, isUnsent } from "../egress/network-error.ts";
import { backoffMs, retryAfterMs } from "../egress/retry.ts";
import { fail, WorkflowError } from "../errors.ts";
import type { ResolvedModel } from "./resolve.ts";

/** One call of an upstream, its attempts counted as they are made. */
export interface UpstreamCall {
  readonly target: ResolvedModel;
  /** JSON text. */
  readonly body: string;
  readonly idempotencyKey: string;
  readonly maxBytes: number;
  readonly deadline: Deadline;
  /** Called before each attempt with its number, from 1. */
  readonly attempt: (count: number) => Promise<void>;
  /** Called after each attempt that failed; `paid`: it may have cost something all the same. */
  readonly failed: (paid: boolean) => void;
}

const ERROR_BODY_BYTES = 64 * 1024;
const MAX_MESSAGE_LENGTH = 2_000;

/** A body as text; throws LIMIT_EXCEEDED when it is over `maxBytes`. */
export async function readText(answer: Answer, maxBytes: number, api: ResolvedModel["api"] = "chat"): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      answer.body.destroy();
      throw fail("LIMIT_EXCEEDED", {
        message: `${api}: the model's answer is over ${maxBytes} bytes (maxResultBytes)`,
        limit: "maxResultBytes",
        value: maxBytes,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString("utf8");
}

/** Upstreams quote keys, whole or masked, in their messages. */
function withoutKeys(text: string, apiKey: string | null): string {
  const hidden = apiKey === null ? text : text.replaceAll(apiKey, "[key]");
  return hidden.replace(/\b(sk|pk)-[\w*.-]{4,}/g, "[key]").slice(0, MAX_MESSAGE_LENGTH);
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/** UPSTREAM_FAILED for an error body or frame in any of the usual shapes; never shows a key. */
export function upstreamError(target: ResolvedModel, status: number | null, body: unknown): WorkflowError {
  const error = member(body, "error") ?? body;
  const said = member(error, "message") ?? member(body, "detail") ?? (typeof error === "string" ? error : null);
  const text = withoutKeys(typeof said === "string" && said.trim() !== "" ? said : "no message", target.route.apiKey);
  const what = status === null ? "the upstream reported an error in its stream" : `the upstream answered ${status}`;
  const named = (name: string) =>
    typeof member(error, name) === "string" ? { [`upstream_${name}`]: member(error, name) } : {};
  return fail("UPSTREAM_FAILED", {
    message: `${target.api}: model "${target.name}": ${what}: ${text}`,
    model: target.name,
    ...(status === null ? {} : { status }),
    upstream_message: text,
    ...named("type"),
    ...named("code"),
  });
}

/** Any error of an exchange as ours: the deadline's, one of ours, or UPSTREAM_FAILED for the network. */
export function toModelError(error: unknown, target: ResolvedModel, deadline: Deadline): WorkflowError {
  if (deadline.signal.aborted) return deadline.signal.reason as WorkflowError;
  if (error instanceof WorkflowError) return error;
  const { reason, text } = describeNetworkError(error);
  const message = `${target.api}: model "${target.name}": ${text}`;
  return fail("UPSTREAM_FAILED", { message, model: target.name, reason }, error);
}

async function errorOf(target: ResolvedModel, answer: Answer): Promise<WorkflowError> {
  const text = await readText(answer, ERROR_BODY_BYTES).catch(() => "");
  try {
    return upstreamError(target, answer.status, JSON.parse(text));
  } catch {
    return upstreamError(target, answer.status, text);
  }
}

function isRetryable(answer: Answer): boolean {
  const told = answer.headers["x-should-retry"];
  if (told === "true" || told === "false") return told === "true";
  return answer.status === 408 || answer.status === 429 || answer.status >= 500;
}

/** Base URLs may carry a query (an API version, for example). */
function endpointOf({ api, route }: ResolvedModel): URL {
  const url = new URL(route.baseUrl ?? "");
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${api === "chat" ? "chat/completions" : "embeddings"}`;
  return url;
}

function exchangeOf(dispatcher: Dispatcher, call: UpstreamCall): Promise<Answer> {
  const { route } = call.target;
  return dispatcher.send({
    method: "POST",
    url: endpointOf(call.target),
    headers: {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "idempotency-key": call.idempotencyKey,
      "user-agent": "weft",
      ...(route.apiKey === null ? {} : { authorization: `Bearer ${route.apiKey}` }),
    },
    body: call.body,
    signal: call.deadline.signal,
  });
}

interface Failure {
  readonly error: WorkflowError;
  /** Milliseconds the upstream asked to wait; null = it did not say. */
  readonly waitMs: number | null;
  readonly retryable: boolean;
  /** True when the upstream may have done, and charged, what it was asked for. */
  readonly paid: boolean;
}

/** What of an answer belongs to the attempt: a failure while reading it is retried like one before. */
export type ReadAnswer<T> = (answer: Answer) => Promise<T>;

async function attemptOnce<T>(
  dispatcher: Dispatcher,
  call: UpstreamCall,
  read: ReadAnswer<T>,
): Promise<{ readonly value: T } | Failure> {
  try {
    const answer = await exchangeOf(dispatcher, call);
    if (answer.status >= 200 && answer.status < 300) return { value: await read(answer) };
    const error = await errorOf(call.target, answer);
    return { error, waitMs: retryAfterMs(answer.headers), retryable: isRetryable(answer), paid: false };
  } catch (error) {
    const own = toModelError(error, call.target, call.deadline);
    const { reason } = own.details as { readonly reason?: unknown };
    const known = typeof reason === "string" ? reason : null;
    return { error: own, waitMs: null, retryable: known !== null && isPassing(known), paid: !isUnsent(known) };
  }
}

/** Whoever repeats the call itself learns whether that makes sense, and when. */
function withAttempts({ error, retryable, waitMs }: Failure, attempts: number): WorkflowError {
  if (error.code !== "UPSTREAM_FAILED") return error;
  const wait = waitMs === null ? {} : { retry_after_ms: waitMs };
  return fail(error.code, { ...error.details, message: error.message, attempts, retryable, ...wait }, error);
}

/** Sends the call until a 2xx answer is read: retries 408, 429, 5xx and network errors with backoff, or as long as Retry-After says when that fits the deadline. */
export async function sendUpstream<T>(dispatcher: Dispatcher, call: UpstreamCall, read: ReadAnswer<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    await call.attempt(attempt);
    const outcome = await attemptOnce(dispatcher, call, read);
    if ("value" in outcome) return outcome.value;
    call.failed(outcome.paid);
    const waitMs = outcome.waitMs ?? backoffMs(attempt);
    if (!outcome.retryable || attempt > call.target.route.maxRetries || waitMs >= call.deadline.remainingMs()) {
      throw withAttempts(outcome, attempt);
    }
    await call.deadline.sleep(waitMs);
  }
}
