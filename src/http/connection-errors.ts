import type { Socket } from "node:net";
import { fromRecord } from "../../runtime/index.ts";
import { DIALECTS } from "./dialects/index.ts";
import { requestIdOf } from "./ids.ts";

interface Problem {
  readonly status: number;
  /** Not from node:http, which as an ES module loads an HTTP client along, 25 ms. */
  readonly reason: string;
  readonly message: string;
}

const BAD: Problem = { status: 400, reason: "Bad Request", message: "The request is not valid HTTP." };
const PROBLEMS: Readonly<Record<string, Problem>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: "Request Timeout", message: "The request did not arrive in time." },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: "Request Header Fields Too Large",
    message: "The request's headers are too large.",
  },
};

/** Answers bytes that are not a request in HTTP, and closes the connection. */
export function answerBadConnection(error: { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, reason, message } = PROBLEMS[error.code ?? ""] ?? BAD;
  const known = fromRecord({ code: "INVALID_REQUEST", message, details: {}, status });
  const requestId = requestIdOf(undefined);
  const body = JSON.stringify(DIALECTS[0].toError(known, requestId).body);
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
