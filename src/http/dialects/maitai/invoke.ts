import { toCompletion } from "../../../engine/completion.ts";
import type { Invocation } from "../../../engine/engine.ts";
import { openSse } from "../../sse.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { toErrorAnswer } from "./errors.ts";
import { createFrames } from "./frames.ts";
import { INVOKE_SCHEMA, type InvokeBody, toInvokeRequest } from "./invoke-request.ts";
import { toRun } from "./runs.ts";

/** Paths of the call; the last is for OpenAI clients with baseURL <url>/v1. */
const PATHS = ["/workflow/chat/completions", "/workflow/v1/chat/completions", "/v1/chat/completions"];

function headersOf(invocation: Invocation): Record<string, string> {
  return {
    "x-request-id": invocation.requestId,
    "x-weft-cache": invocation.cache,
    "x-workflow-cache": invocation.cache,
    "x-weft-execution-id": invocation.executionId,
  };
}

/** Cancels the run when its reader goes away, if the script or the request asks for that. */
function watchDisconnect(reply: Reply, invocation: Invocation): void {
  if (invocation.onDisconnect !== "cancel") return;
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) invocation.cancel();
  });
}

function stream(request: Request, reply: Reply, invocation: Invocation): Reply {
  const { model } = request.body as InvokeBody;
  const frames = createFrames(invocation, model, {
    helper: request.headers["x-stainless-helper-method"] !== undefined,
    split: request.headers["x-workflow-stream"] === "split",
  });
  reply.hijack();
  const sse = openSse(reply.raw, { ...replyHeaders(reply), ...headersOf(invocation) });
  const unsubscribe = invocation.subscribe((chunks) => {
    let text = "";
    for (const chunk of chunks) text += frames.chunk(chunk);
    sse.write(text);
  });
  sse.onGone(() => {
    unsubscribe();
    if (invocation.onDisconnect === "cancel") invocation.cancel();
  });
  invocation.result.then((result) => {
    unsubscribe();
    sse.write(frames.end(result));
    sse.end();
  });
  return reply;
}

/** Headers that hooks have set already; a hijacked reply does not send them by itself. */
function replyHeaders(reply: Reply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}

async function answer(request: Request, reply: Reply, invocation: Invocation): Promise<Reply> {
  const { model } = request.body as InvokeBody;
  watchDisconnect(reply, invocation);
  const result = await invocation.result;
  reply.headers(headersOf(invocation));
  if (result.status !== "completed") {
    const { status, headers, body } = toErrorAnswer(result.error, invocation.requestId);
    return reply.code(status).headers(headers).send(body);
  }
  const { executionId, createdAt, sessionId, requestId } = invocation;
  return reply
    .type("application/json; charset=utf-8")
    .send(toCompletion({ executionId, createdAt, model, sessionId, requestId, result }));
}

async function accepted(deps: DialectDeps, request: Request, reply: Reply, invocation: Invocation): Promise<Reply> {
  const accountId = deps.account(request).id;
  const execution = await deps.engine.findExecution({ accountId, executionId: invocation.executionId });
  const location = `/api/v1/runs/${invocation.executionId}`;
  return reply
    .code(202)
    .headers({ ...headersOf(invocation), location })
    .send(toRun(execution));
}

/** The call itself: sync, stream and background. */
export function registerInvoke(app: App, deps: DialectDeps): void {
  const handler = async (request: Request, reply: Reply) => {
    const caller = { accountId: deps.account(request).id, requestId: deps.requestId(request) };
    const call = toInvokeRequest(request.body as InvokeBody, request.headers, caller);
    const invocation = await deps.engine.invoke(call);
    if (call.mode === "background") return accepted(deps, request, reply, invocation);
    return call.mode === "stream" ? stream(request, reply, invocation) : answer(request, reply, invocation);
  };
  PATHS.forEach((path, i) => {
    const schema = {
      tags: ["invoke"],
      summary: "Run a workflow",
      body: INVOKE_SCHEMA,
      ...(i === 0 ? {} : { hide: true }),
    };
    app.post(path, { schema }, handler);
  });
}
