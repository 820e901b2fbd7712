import type { Answer } from "../egress/dispatcher.ts";
import { fail, type WorkflowError } from "../errors.ts";
import type { ModelObject } from "./completion.ts";
import { choicesOf } from "./join.ts";
import type { ResolvedModel } from "./resolve.ts";
import { createSseParser } from "./sse.ts";
import { upstreamError } from "./upstream.ts";

const DONE = "[DONE]";

const broken = (target: ResolvedModel, what: string): WorkflowError =>
  fail("UPSTREAM_FAILED", {
    message: `chat: model "${target.name}": ${what}`,
    model: target.name,
    reason: "stream_broken",
  });

const overLimit = (maxBytes: number): WorkflowError =>
  fail("LIMIT_EXCEEDED", {
    message: `chat: the model streamed one event over ${maxBytes} bytes (maxResultBytes)`,
    limit: "maxResultBytes",
    value: maxBytes,
  });

function parseChunk(text: string, target: ResolvedModel): ModelObject {
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(text);
  } catch {
    // What is not JSON is no object either.
  }
  if (typeof parsed !== "object" || parsed === null) {
    throw broken(target, "the stream has an event that is not a JSON object");
  }
  if ("error" in parsed && parsed.error) throw upstreamError(target, null, parsed);
  return parsed as ModelObject;
}

const isLast = (chunk: ModelObject): boolean =>
  choicesOf(chunk).some((choice) => typeof choice["finish_reason"] === "string");

/** The chunks of an event stream, one array per network read; throws UPSTREAM_FAILED when it ends before its answer does, LIMIT_EXCEEDED for one event over `maxBytes`. */
export async function* readChunks(
  answer: Answer,
  target: ResolvedModel,
  maxBytes: number,
): AsyncGenerator<readonly ModelObject[]> {
  const parser = createSseParser();
  let finished = false;
  let done = false;
  try {
    // Leaving the loop must not close the connection: it is used again.
    for await (const bytes of answer.body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      const events = parser.push(bytes);
      if (parser.pending() > maxBytes) throw overLimit(maxBytes);
      const chunks = events.filter((event) => event !== DONE).map((event) => parseChunk(event, target));
      finished ||= chunks.some(isLast);
      done = events.includes(DONE);
      if (chunks.length > 0) yield chunks;
      if (done) break;
    }
    if (!done && !finished) throw broken(target, "the stream ended before the answer was complete");
  } finally {
    if (done) answer.discard().catch(() => {});
    else answer.body.on("error", () => {}).destroy();
  }
}
