import { Request, type RequestInit } from "./request.ts";
import { networkResponse, type Response } from "./response.ts";

declare const weft: { op(name: string, args: unknown): Promise<unknown> };

/** Headers that a request's maker cannot choose: dropped without a word, as the fetch standard says. */
const FORBIDDEN = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What the op `http.request` answers. */
interface HttpResult {
  readonly status: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly encoding: "text" | "base64";
}

/** The body as the op takes it: text when it is text, else base64. */
async function bodyArgs(request: Request): Promise<{ body?: string; body_base64?: string }> {
  const bytes = await request.bytes();
  if (bytes.length === 0) return {};
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { body_base64: bytes.toBase64() };
  }
}

/** Rejects when the signal fires; never resolves. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

async function send(request: Request): Promise<HttpResult> {
  const { method, url, redirect } = request;
  const headers = Object.fromEntries([...request.headers].filter(([name]) => !FORBIDDEN.has(name)));
  try {
    return (await weft.op("http.request", {
      method,
      url,
      headers,
      redirect,
      ...(await bodyArgs(request)),
    })) as HttpResult;
  } catch (cause) {
    throw new TypeError(`fetch failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The web's fetch, over the op of `ctx.http`; a signal gives the wait up, the request itself goes on. */
export async function fetch(
  input: string | { readonly href: string } | Request,
  init?: RequestInit,
): Promise<Response> {
  const request = new Request(input, init);
  request.signal.throwIfAborted();
  const result = await Promise.race([send(request), aborted(request.signal)]);
  const { status, headers, url } = result;
  const body = result.encoding === "base64" ? Uint8Array.fromBase64(result.body) : result.body;
  return networkResponse(body, { status, headers }, { url, redirected: url !== request.url });
}
