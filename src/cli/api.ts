import type { WorkflowError } from "../../runtime/index.ts";
import type { Connection } from "./connection.ts";
import { stop } from "./exit.ts";
import { asRecord, asText, parseJson } from "./json.ts";

/** One request to the server's HTTP API. */
export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; its Content-Type goes into `headers`. */
  readonly body?: ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The server's HTTP API as commands use it; every failure is an error with an exit. */
export interface Api {
  readonly url: string;
  /** The response of a request that the server accepted (status below 400). */
  send(path: string, request?: ApiRequest): Promise<Response>;
  /** The JSON of its answer. */
  call(path: string, request?: ApiRequest): Promise<unknown>;
  /** The rest of a response as text. */
  text(response: Response): Promise<string>;
  /** The error that a connection lost while reading an answer means. */
  lost(cause: unknown): WorkflowError;
}

/** The error that a refused request, or the error frame of a stream, means for the command. */
export function toError(body: unknown, status: number): WorkflowError {
  const error = asRecord(asRecord(body)["error"]);
  const message = asText(error["message"]) ?? `The server answered with status ${status}.`;
  const hint = status === 401 ? " (set WEFT_API_KEY to the key that `weft start` printed)" : "";
  // A script may choose 404 for an error of its own; that run was found and failed.
  const ofScript = error["type"] === "workflow_error";
  const exit = !ofScript && (status === 401 || status === 403 || status === 404) ? "refused" : "failed";
  const { code, request_id, details } = error;
  return stop(exit, message + hint, {
    code: code ?? null,
    status,
    request_id: request_id ?? null,
    details: details ?? null,
  });
}

function unreachable(url: string, cause: unknown): WorkflowError {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = asText(asRecord(reason)["code"]);
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    return stop("unreachable", `${url} did not answer in time; use --stream or --background for a long run.`);
  }
  const why = code ?? (reason instanceof Error ? reason.message : "no connection");
  return stop(
    "unreachable",
    `Cannot reach the Weft server at ${url} (${why}). Is it running? Start it with \`weft start\`, or set WEFT_URL.`,
  );
}

function toLoss(url: string, cause: unknown): WorkflowError {
  const aborted = cause instanceof Error && cause.name === "AbortError";
  return aborted ? stop("interrupted", "Stopped.") : unreachable(url, cause);
}

function textOf(response: Response, url: string): Promise<string> {
  return response.text().catch((cause: unknown) => {
    throw toLoss(url, cause);
  });
}

async function exchange(connection: Connection, path: string, request: ApiRequest): Promise<Response> {
  const headers: Record<string, string> = { "user-agent": "weft-cli", ...request.headers };
  if (connection.key !== null) headers["authorization"] = `Bearer ${connection.key}`;
  if (request.json !== undefined) headers["content-type"] = "application/json";
  const body = request.json === undefined ? request.body : JSON.stringify(request.json);
  try {
    return await fetch(`${connection.url}${path}`, {
      method: request.method ?? (body === undefined ? "GET" : "POST"),
      headers,
      ...(body === undefined ? {} : { body, duplex: "half" }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  } catch (cause) {
    throw toLoss(connection.url, cause);
  }
}

/** Makes the client of one connection; requests end when `signal` aborts. */
export function createApi(connection: Connection, signal: AbortSignal): Api {
  const send = async (path: string, request: ApiRequest = {}): Promise<Response> => {
    const response = await exchange(connection, path, { signal, ...request });
    if (response.status < 400) return response;
    throw toError(parseJson(await textOf(response, connection.url)), response.status);
  };
  return {
    url: connection.url,
    send,
    text: (response) => textOf(response, connection.url),
    lost: (cause) => toLoss(connection.url, cause),
    async call(path, request) {
      const response = await send(path, request);
      const body = parseJson(await textOf(response, connection.url));
      if (body === undefined)
        throw stop("failed", `${connection.url}${path} did not answer with JSON; is it a Weft server?`);
      return body;
    },
  };
}

/** The path of a run's routes; the id is escaped. */
export function runPath(id: string, rest = ""): string {
  return `/api/v1/runs/${encodeURIComponent(id)}${rest}`;
}

/** The path of a workflow's management routes; the ref is escaped. */
export function workflowPath(ref: string, rest = ""): string {
  return `/api/v1/workflows/${encodeURIComponent(ref)}${rest}`;
}
