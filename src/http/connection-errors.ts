import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { fromRecord } from "../../runtime/index.ts";
import { DIALECTS } from "./dialects/index.ts";
import { requestIdOf } from "./ids.ts";

const PROBLEMS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not arrive in time."],
  HPE_HEADER_OVERFLOW: [431, "The request's headers are too large."],
};

/** Answers bytes that are not a request in HTTP, and closes the connection. */
export function answerBadConnection(error: { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = PROBLEMS[error.code ?? ""] ?? [400, "The request is not valid HTTP."];
  const known = fromRecord({ code: "INVALID_REQUEST", message, details: {}, status });
  const requestId = requestIdOf(undefined);
  const body = JSON.stringify(DIALECTS[0].toError(known, requestId).body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
