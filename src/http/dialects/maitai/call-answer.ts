import { toCompletion } from "../../../engine/completion.ts";
import type { Invocation } from "../../../engine/engine.ts";
import { ChunkFeed } from "../../chunk-feed.ts";
import { hijackSse } from "../../hijack-sse.ts";
import { toExecId } from "../../ids.ts";
import type { DialectDeps, Reply, Request } from "../dialect.ts";
import { toErrorAnswer } from "./errors.ts";
import { createFrames, frameStyleOf } from "./frames.ts";
import { showRun } from "./run-view.ts";

/** A call that the engine has taken, and the model that its caller named. */
export interface Called {
  readonly invocation: Invocation;
  readonly model: string;
}

function headersOf(invocation: Invocation): Record<string, string> {
  return {
    "x-request-id": invocation.requestId,
    "x-weft-cache": invocation.cache,
    "x-workflow-cache": invocation.cache,
    "x-weft-execution-id": toExecId(invocation.executionId),
  };
}

/** Cancels the run when its reader goes away, if the script or the request asks for that. */
function watchDisconnect(reply: Reply, invocation: Invocation): void {
  if (invocation.onDisconnect !== "cancel") return;
  const leave = () => {
    // A run that cannot be cancelled (the disk fails) goes on and says so in its own row.
    if (!reply.raw.writableFinished) invocation.cancel().catch(() => undefined);
  };
  // The caller may have left while the run was being started.
  if (reply.raw.destroyed) leave();
  else reply.raw.once("close", leave);
}

function stream(deps: DialectDeps, request: Request, reply: Reply, { invocation, model }: Called): Reply {
  const { executionId } = invocation;
  const frames = createFrames(invocation, model, frameStyleOf(request));
  watchDisconnect(reply, invocation);
  const sse = hijackSse(reply, headersOf(invocation));
  const accountId = deps.account(request).id;
  const read = (from: number, limit: number) => deps.engine.readChunks({ accountId, executionId, from, limit });
  new ChunkFeed({ sse, invocation, toEvents: frames.chunk, toEnd: frames.end, read }).start();
  return reply;
}

async function whole(reply: Reply, { invocation, model }: Called): Promise<Reply> {
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
  const run = await showRun(deps, deps.account(request).id, invocation.executionId);
  const location = `/api/v1/runs/${toExecId(invocation.executionId)}`;
  return reply
    .code(202)
    .headers({ ...headersOf(invocation), location })
    .send(invocation.debounced ? { ...run, debounced: true } : run);
}

/** What the documentation says of the answers to a call. */
export const CALL_ANSWERS = {
  200: {
    description:
      "The `chat.completion` object with `output`; with `stream: true`, or by the workflow's `execution_mode: stream`, server-sent events that end in it.",
    content: {
      "application/json": { schema: { type: "object" } },
      "text/event-stream": { schema: { type: "string" } },
    },
  },
  202: {
    description: "With `background: true`, or by the workflow's `execution_mode: async`: the run, to be polled.",
    type: "object",
  },
};

/** Answers a call as its caller asked: with the result, a stream, or the run. */
export function answerCall(deps: DialectDeps, request: Request, reply: Reply, called: Called): Promise<Reply> | Reply {
  const { invocation } = called;
  if (invocation.mode === "background") return accepted(deps, request, reply, invocation);
  return invocation.mode === "stream" ? stream(deps, request, reply, called) : whole(reply, called);
}
