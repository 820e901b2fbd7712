import { nodeError } from "../failure.ts";
import type { Compute, Node, NodeOptions } from "../types.ts";
import { isFields, makeNode } from "./options.ts";

/** What a node asks of an address. */
export interface HttpRequest {
  readonly method: unknown;
  readonly url: unknown;
  readonly headers?: unknown;
  /** Become the query. */
  readonly params?: unknown;
  readonly body?: unknown;
  readonly timeout_ms?: unknown;
}

interface Response {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Readonly<Record<string, string | undefined>>;
  text(): string;
}

interface Http {
  request(options: object): Promise<Response>;
}

function textOf(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function withQuery(url: string, params: unknown): string {
  if (!isFields(params)) return url;
  const pairs = Object.entries(params)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(textOf(value))}`);
  if (pairs.length === 0) return url;
  const [address = "", hash] = url.split("#", 2);
  return `${address}${address.includes("?") ? "&" : "?"}${pairs.join("&")}${hash === undefined ? "" : `#${hash}`}`;
}

/** Headers as an object, or as the rows of a table with the columns Key and Value. */
function headersOf(headers: unknown): Record<string, string> {
  if (isFields(headers)) {
    const set = Object.entries(headers).filter(([, value]) => value !== null && value !== undefined);
    return Object.fromEntries(set.map(([name, value]) => [name, textOf(value)]));
  }
  if (!Array.isArray(headers)) return {};
  const cells = headers.map((row: unknown) => (isFields(row) ? (isFields(row["cells"]) ? row["cells"] : row) : {}));
  const named = cells.filter(({ Key: key }) => typeof key === "string" && key !== "");
  return Object.fromEntries(named.map(({ Key: key, Value: value }) => [String(key), textOf(value ?? "")]));
}

function toCall({ method, url, headers, params, body, timeout_ms: timeout }: HttpRequest): object {
  const sent = headersOf(headers);
  const isText = typeof body === "string";
  const hasBody = body !== undefined && body !== null && body !== "";
  const hasType = Object.keys(sent).some((name) => name.toLowerCase() === "content-type");
  return {
    method: String(method ?? "GET").toUpperCase(),
    url: withQuery(String(url), params),
    headers: hasBody && !isText && !hasType ? { ...sent, "content-type": "application/json" } : sent,
    ...(hasBody ? { body: isText ? body : JSON.stringify(body) } : {}),
    ...(typeof timeout === "number" ? { timeout_ms: Math.max(1, Math.round(timeout)) } : {}),
    retries: 0,
  };
}

function parsed(response: Response): unknown {
  const text = response.text();
  try {
    return text === "" ? null : (JSON.parse(text) as unknown);
  } catch {
    return text;
  }
}

/** Seconds, or a date by the clock of whoever answered, as ms from now; null where the header says nothing that can be used. */
function retryAfterMs(headers: Response["headers"]): number | null {
  const asked = headers["retry-after"]?.trim() ?? "";
  if (/^\d+$/.test(asked)) return Number(asked) * 1_000;
  const wait = Date.parse(asked) - Date.parse(headers["date"] ?? "");
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}

function refused(request: object, response: Response): Error {
  const { method, url } = request as { readonly method: string; readonly url: string };
  const { status, headers } = response;
  const wait = retryAfterMs(headers);
  const details = { status, ...(wait === null ? {} : { retry_after_ms: wait }) };
  return nodeError("UPSTREAM_FAILED", `${method} ${url.split("?", 1)[0]} answered ${status}`, details);
}

/** A request to another service. `data`: `{ status, headers, data }`; `output`: `{ output, status_code, headers }`, and a failure of the network is a value too. */
export function http(
  options: NodeOptions & {
    readonly request: Compute<HttpRequest>;
    readonly failOnStatus: boolean;
    readonly shape: "data" | "output";
  },
): Node {
  const { shape, failOnStatus } = options;
  return makeNode("http", options, {
    repeats: true,
    async run(scope, node) {
      const asked = options.request(scope);
      const request = toCall(
        asked.timeout_ms === undefined && node.timeoutMs !== null ? { ...asked, timeout_ms: node.timeoutMs } : asked,
      );
      const response = await node.call(() => (node.ctx["http"] as Http).request(request));
      if (failOnStatus && !response.ok) throw refused(request, response);
      const { status, headers } = response;
      const data = parsed(response);
      return { value: shape === "data" ? { status, headers, data } : { output: data, status_code: status, headers } };
    },
    ...(shape === "output" ? { recover: ({ message }) => ({ value: { output: null, error: message } }) } : {}),
  });
}
