import { isUtf8 } from "node:buffer";
import type { OpCall } from "../capabilities/capability.ts";
import { sendHttp } from "../capabilities/http.ts";
import { HTTP_LIMITS, type HttpArgs } from "../capabilities/http-arguments.ts";
import type { EgressResponse } from "../egress/client.ts";
import { toHeaders } from "../egress/headers.ts";
import { fail, WorkflowError } from "../errors.ts";
import { createFiller, type Filler, fillHeaders, UnfitArgument } from "./template.ts";
import { cutText } from "./text.ts";
import type { HttpTool, JsonRecord, ToolCallResult } from "./types.ts";
import { fillUrl } from "./url-template.ts";

/** Without a template these send all arguments. */
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
/** These may be sent again after a failure, as `ctx.http` does. */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE"]);
/** Statuses from here on are failures. */
const FAILURE = 400;

function bodyOf({ request }: HttpTool, method: string, args: JsonRecord, filler: Filler): string | null {
  if (request.body === undefined) return WITH_BODY.has(method) ? JSON.stringify(args) : null;
  return JSON.stringify(filler.json(request.body)) ?? null;
}

function toRequest(tool: HttpTool, args: JsonRecord, { scope }: OpCall): HttpArgs {
  const { job, env } = scope;
  const filler = createFiller({ args, secrets: job.secrets, env }, job.limits.maxArgBytes);
  const method = (tool.request.method ?? "GET").toUpperCase();
  const url = fillUrl(tool.request.url, tool.request.query ?? {}, filler);
  if (url.length > HTTP_LIMITS.maxUrlLength) {
    throw new UnfitArgument(`the URL would have ${url.length} characters, over ${HTTP_LIMITS.maxUrlLength}`);
  }
  const headers = toHeaders(fillHeaders(tool.request.headers ?? {}, filler));
  const body = bodyOf(tool, method, args, filler);
  return {
    method,
    url,
    headers: body === null || "content-type" in headers ? headers : { ...headers, "content-type": "application/json" },
    body,
    redirect: "follow",
    timeoutMs: job.limits.toolTimeoutMs,
    maxBytes: job.limits.maxResultBytes,
    retries: REPEATABLE.has(method) ? HTTP_LIMITS.defaultRetries : 0,
  };
}

function toText({ status, headers, body }: EgressResponse, maxTextBytes: number): string {
  const type = headers["content-type"] ?? "unknown type";
  if (body.byteLength === 0) return `HTTP ${status}, no content`;
  if (!isUtf8(body)) return `HTTP ${status}, ${body.byteLength} bytes that are no text (${type})`;
  return cutText(`HTTP ${status}\n\n${Buffer.from(body).toString("utf8")}`, maxTextBytes);
}

/** The same failure, said of the tool. */
function ofTool(error: unknown, name: string, toolTimeoutMs: number): unknown {
  if (!(error instanceof WorkflowError) || error.message.startsWith("agents: ")) return error;
  const text = error.message.replace(/^http: /, "").replace("(timeout_ms)", "(toolTimeoutMs)");
  const timeout = error.code === "UPSTREAM_TIMEOUT" ? { limit: "toolTimeoutMs", value: toolTimeoutMs } : {};
  const details = { ...error.details, ...timeout, tool: name, message: `agents: the tool ${name}: ${text}` };
  return error.code === "EXECUTION_CANCELLED" ? error : fail(error.code, details, error);
}

/** Calls an HTTP tool; any status is an answer. Throws what `ctx.http` throws, naming the tool. */
export async function callHttpTool(tool: HttpTool, args: JsonRecord, call: OpCall): Promise<ToolCallResult> {
  const { maxToolTextBytes, toolTimeoutMs } = call.scope.job.limits;
  try {
    const response = await sendHttp(toRequest(tool, args, call), call);
    return { content: toText(response, maxToolTextBytes), is_error: response.status >= FAILURE };
  } catch (error) {
    if (error instanceof UnfitArgument) return { content: `Error: ${error.message}`, is_error: true };
    throw ofTool(error, tool.name, toolTimeoutMs);
  }
}
