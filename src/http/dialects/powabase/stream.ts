import type { ExecutionResult, Invocation } from "../../../engine/engine.ts";
import type { NodeEvent } from "../../../engine/graphs/node-states.ts";
import { hijackSse } from "../../hijack-sse.ts";
import type { DialectDeps, Reply, Request } from "../dialect.ts";
import { textOf } from "./errors.ts";
import { durationOf } from "./views.ts";

const toEvent = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;

/** An event of a node as this API tells it; null for those that it does not tell. */
export function toBlockEvent(event: NodeEvent): object | null {
  switch (event.type) {
    case "start":
      return { type: "block_start", block_id: event.node.nodeId, block_type: event.node.type };
    case "chunk":
      return { type: "block_chunk", block_id: event.nodeId, block_type: event.nodeType, chunk: event.text };
    case "complete": {
      const { nodeId, type, output } = event.node;
      return {
        type: "block_complete",
        block_id: nodeId,
        block_type: type,
        data: output,
        duration_ms: durationOf(event.node),
      };
    }
    case "error": {
      const { nodeId, type, error } = event.node;
      const data = { error: error?.message ?? "The block failed." };
      return { type: "block_error", block_id: nodeId, block_type: type, data, duration_ms: durationOf(event.node) };
    }
    default:
      return null;
  }
}

/** The last event of a stream; only a timeout has a code. */
function toEnd(result: ExecutionResult, executionId: string): object {
  if (result.status === "completed") return { type: "done", execution_id: executionId };
  const { error } = result;
  if (error.code !== "EXECUTION_TIMEOUT") return { type: "error", error: textOf(error) };
  const seconds = Number(error.details["value"]) / 1_000;
  return { type: "error", error: `Execution timed out after ${seconds}s`, error_code: "EXECUTION_TIMEOUT" };
}

/** Answers with the events of a run's blocks; whoever leaves only stops reading. */
export function streamRun(deps: DialectDeps, request: Request, reply: Reply, invocation: Invocation): Reply {
  const { executionId } = invocation;
  const accountId = deps.account(request).id;
  const sse = hijackSse(reply, { "x-weft-execution-id": executionId });
  const gone = new AbortController();
  sse.onGone(() => {
    gone.abort();
    if (invocation.onDisconnect === "cancel") invocation.cancel().catch(() => undefined);
  });
  const pass = async () => {
    for await (const event of deps.graphs.followRun({ accountId, executionId, signal: gone.signal })) {
      await sse.room();
      if (sse.isClosed()) return;
      const shown = toBlockEvent(event);
      if (shown !== null) sse.write(toEvent(shown));
    }
    const result = await invocation.result;
    sse.write(toEvent(toEnd(result, executionId)));
    sse.end();
  };
  // A run that cannot be read any more (it was deleted) must not look like a complete stream.
  pass().catch(() => sse.abort());
  return reply;
}
