import { fail } from "../../../../runtime/index.ts";
import type { ExecutionResult, RunWatch } from "../../../engine/engine.ts";
import { hijackSse, lastEventId } from "../../hijack-sse.ts";
import { toExecId } from "../../ids.ts";
import type { SseStream } from "../../sse.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { createFrames, type Frames, frameStyleOf } from "./frames.ts";
import { RUN_PARAMS, runTargetOf } from "./run-target.ts";

/** Chunks read at a time: together at most 4 MiB. */
const PAGE = 16;
const INDEX = /^\d{1,9}$/;

const querystring = {
  type: "object",
  additionalProperties: false,
  properties: {
    last_event_id: { type: "string", description: "As the header `Last-Event-ID`: index of the last chunk received" },
  },
};

const description =
  "Server-sent events with the frames of a streamed call, from the first chunk or from after `Last-Event-ID`, for any number of readers, while the run goes on and after its end. The `id` of an event is the index of its chunk. Ends with the final frame and `[DONE]`.";

/** Index of the chunk to begin with; INVALID_REQUEST for an id that this stream did not give. */
function startOf(request: Request): number {
  const id = lastEventId(request);
  if (id === null) return 0;
  if (INDEX.test(id)) return Number(id) + 1;
  const message = `Last-Event-ID: must be the index of a chunk, got ${JSON.stringify(id.slice(0, 100))}`;
  throw fail("INVALID_REQUEST", { message, param: "Last-Event-ID" });
}

/** Sends chunks from `from` on and the end; one page is in memory at a time, whoever is slow. */
async function pump(sse: SseStream, watch: RunWatch, frames: Frames, from: number): Promise<void> {
  let result: ExecutionResult | null = null;
  for (let next = from; !sse.isClosed(); ) {
    await sse.room();
    // Before the chunks: what was there at the end is then certain to be read.
    result ??= await watch.result();
    const chunks = await watch.chunks(next, PAGE);
    for (const chunk of chunks) {
      sse.write(`id: ${chunk.index}\n${frames.chunk(chunk)}`);
      next = chunk.index + 1;
    }
    if (chunks.length > 0) continue;
    if (result === null) await watch.changed();
    else {
      sse.write(frames.end(result));
      sse.end();
    }
  }
}

/** The stream of a run, live or recorded. */
export function registerRunStream(app: App, deps: DialectDeps): void {
  const schema = { tags: ["runs"], summary: "Stream of a run", description, params: RUN_PARAMS, querystring };
  app.get("/api/v1/runs/:id/stream", { schema }, async (request: Request, reply: Reply) => {
    const from = startOf(request);
    const target = runTargetOf(deps, request);
    const watch = await deps.engine.watchRun(target);
    const { id, createdAt, requestId, ref } = await watch.run();
    const frames = createFrames({ executionId: id, createdAt, requestId }, `workflow:${ref}`, frameStyleOf(request));
    const sse = hijackSse(reply, { "x-weft-execution-id": toExecId(id) });
    sse.onGone(() => watch.close());
    // What cannot be read any more (a deleted run) must not look like a complete stream.
    pump(sse, watch, frames, from)
      .catch(() => sse.abort())
      .finally(() => watch.close());
    return reply;
  });
}
