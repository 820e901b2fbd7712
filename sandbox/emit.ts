import { makeOpError, reasonOf } from "./errors.ts";
import { current, limitError, send } from "./execution.ts";
import { stringify } from "./primordials.ts";
import { POST } from "./wire.ts";

function invalid(message: string): Error {
  return makeOpError("emit", { code: "INVALID_ARGUMENT", message, details: {} }, null);
}

function post(type: string, content: string, isText: boolean): void {
  const execution = current();
  const { maxChunks, maxChunkBytes, maxChunkTotalBytes } = execution.limits;
  const size = type.length + content.length;
  if (size > maxChunkBytes) throw limitError("maxChunkBytes", `emit: chunk of ${size} bytes, over ${maxChunkBytes}`);
  if (execution.chunks >= maxChunks) throw limitError("maxChunks", `emit: more than ${maxChunks} chunks`);
  execution.chunkBytes += size;
  if (execution.chunkBytes > maxChunkTotalBytes) {
    throw limitError("maxChunkTotalBytes", `emit: chunks over ${maxChunkTotalBytes} bytes in total`);
  }
  // Where the stack is full this throws: a chunk has its number once it is out.
  send(POST.chunk, execution.chunks, type, content, isText ? "1" : "0");
  execution.chunks++;
}

/** ctx.emit(type, content) or ctx.emit({ type, content }). */
export function emit(first: unknown, second?: unknown): void {
  const chunk = typeof first === "object" && first !== null ? (first as Record<string, unknown>) : null;
  const type = chunk === null ? first : chunk["type"];
  const content = chunk === null ? second : chunk["content"];
  if (typeof type !== "string" || type === "") throw invalid("emit: type must be a non-empty string");
  let json: string | undefined;
  try {
    json = stringify(content === undefined ? null : content);
  } catch (cause) {
    throw invalid(`emit: content cannot be written as JSON (${reasonOf(cause)})`);
  }
  if (json === undefined) throw invalid(`emit: content cannot be written as JSON (a ${typeof content})`);
  post(stringify(type), json, false);
}

/** ctx.write(text): streams answer text. */
export function write(value: unknown): void {
  if (typeof value !== "string") throw invalid("write: text must be a string");
  if (value === "") return;
  current().wroteText = true;
  post('"delta"', stringify(value), true);
}
