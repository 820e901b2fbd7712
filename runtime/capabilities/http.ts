import { isUtf8 } from "node:buffer";
import type { EgressResponse } from "../egress/client.ts";
import { type Deadline, startDeadline } from "../egress/deadline.ts";
import { isPassing } from "../egress/network-error.ts";
import { backoffMs, retryAfterMs } from "../egress/retry.ts";
import { shownUrl } from "../egress/target.ts";
import { fail, toWorkflowError, type WorkflowError } from "../errors.ts";
import { type Capability, defineOp, type OpCall } from "./capability.ts";
import { type HttpArgs, isMutating, parseHttpArgs } from "./http-arguments.ts";

const RETRY_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const TEXTUAL =
  /^(text\/|application\/([\w.+-]*\+)?(json|xml|yaml|javascript|ecmascript|graphql|x-www-form-urlencoded|x-ndjson|jsonl|toml)\b|image\/svg)/;

/** Text when the server says so (or says nothing) and the bytes are UTF-8; base64 keeps everything else exact. */
function toResult(response: EgressResponse): string {
  const { status, url, headers, body } = response;
  const type = headers["content-type"]?.toLowerCase() ?? "text/";
  const charset = /charset="?([\w-]+)/.exec(type)?.[1] ?? "utf-8";
  const text = TEXTUAL.test(type) && /^(utf-?8|us-ascii)$/.test(charset) && isUtf8(body);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const encoding = text ? "text" : "base64";
  return JSON.stringify({ status, url, headers, body: bytes.toString(text ? "utf8" : "base64"), encoding });
}

/** Network failures may pass; refusals, limits and broken answers do not. */
function mayPass({ code, details }: WorkflowError): boolean {
  const { reason } = details as { readonly reason?: unknown };
  return code === "UPSTREAM_FAILED" && typeof reason === "string" && isPassing(reason);
}

function withAttempts(error: WorkflowError, attempts: number): WorkflowError {
  return error.code.startsWith("UPSTREAM_")
    ? fail(error.code, { ...error.details, message: error.message, attempts }, error)
    : error;
}

const handlesOf = ({ scope: { job } }: OpCall) => (job.handles === undefined ? {} : { handles: job.handles });

type Outcome =
  | { readonly response: EgressResponse; readonly waitMs: number | null }
  | { readonly error: WorkflowError };

async function attemptOnce(
  args: HttpArgs,
  headers: HttpArgs["headers"],
  call: OpCall,
  deadline: Deadline,
): Promise<Outcome> {
  try {
    const response = await call.services.egress.request({
      method: args.method,
      url: args.url,
      headers,
      body: args.body,
      allow: call.scope.job.httpAllow,
      ...handlesOf(call),
      redirect: args.redirect,
      timeoutMs: Math.max(1, Math.ceil(deadline.remainingMs())),
      maxBytes: args.maxBytes,
      hold: call.hold,
      signal: deadline.signal,
    });
    return { response, waitMs: retryAfterMs(response.headers) };
  } catch (error) {
    return { error: toWorkflowError(error) };
  }
}

/** Mutating requests name themselves, so that a server may recognise a repeat; a script's own key stays. */
function headersOf(args: HttpArgs, call: OpCall): HttpArgs["headers"] {
  const named = !isMutating(args.method) || "idempotency-key" in args.headers;
  return named ? args.headers : { ...args.headers, "idempotency-key": call.idempotencyKey };
}

async function requestWithRetries(args: HttpArgs, call: OpCall, deadline: Deadline): Promise<EgressResponse> {
  const headers = headersOf(args, call);
  for (let attempt = 1; ; attempt++) {
    call.meter({ attempts: attempt });
    const outcome = await attemptOnce(args, headers, call, deadline);
    const waitMs = ("waitMs" in outcome ? outcome.waitMs : null) ?? backoffMs(attempt);
    const more = attempt <= args.retries && waitMs < deadline.remainingMs();
    if ("error" in outcome) {
      if (!more || !mayPass(outcome.error)) throw withAttempts(outcome.error, attempt);
    } else if (!more || !RETRY_STATUSES.has(outcome.response.status)) {
      return outcome.response;
    }
    await deadline.sleep(waitMs);
  }
}

/** Sends a request, with its retries, within its time; throws what the egress client throws. */
export async function sendHttp(args: HttpArgs, call: OpCall): Promise<EgressResponse> {
  const deadline = startDeadline(call.signal, args.timeoutMs, () => {
    const url = shownUrl(new URL(args.url));
    const message = `http: ${args.method} ${url} took longer than ${args.timeoutMs} ms (timeout_ms)`;
    return fail("UPSTREAM_TIMEOUT", { message, url, limit: "timeout_ms", value: args.timeoutMs });
  });
  try {
    return await requestWithRetries(args, call, deadline);
  } finally {
    deadline.clear();
  }
}

const run = async (args: HttpArgs, call: OpCall): Promise<string> => toResult(await sendHttp(args, call));

/** ctx.http: requests to public hosts, through the egress guard. Arguments and results may hold secret values. */
export const http: Capability = {
  name: "http",
  ops: { "http.request": defineOp<HttpArgs>({ effect: "outside", sends: true, parse: parseHttpArgs, run }) },
  declaration: `  /** HTTP requests: retried, size-capped, recorded; private addresses are refused. */
  readonly http: Http;`,
  doc: {
    member: "http.get(url, options), post, put, patch, delete, head, request({ url, … })",
    sentence:
      "Sends an HTTP request; any status is an answer. GET, HEAD, OPTIONS, PUT and DELETE are retried twice on 429, 502, 503, 504 and network errors, others only when `retries` asks for it; mutating requests carry an `Idempotency-Key`.",
    limits: ["maxArgBytes", "maxResultBytes"],
  },
};
