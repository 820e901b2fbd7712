import { base64ToBytes, bytesToBase64 } from "../base64.ts";
import { call } from "../call.ts";
import { makeOpError } from "../errors.ts";
import { bytesOf, isView, NativeArrayBuffer, NativeError, NativeUint8Array, parse } from "../primordials.ts";
import { decodeUtf8, encodeUtf8 } from "../text.ts";

interface WireResponse {
  readonly status: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly encoding: "text" | "base64";
}

function toResponse(wire: WireResponse): object {
  const bytes = () =>
    wire.encoding === "base64" ? (base64ToBytes(wire.body) ?? new NativeUint8Array(0)) : encodeUtf8(wire.body);
  const text = () => (wire.encoding === "text" ? wire.body : decodeUtf8(bytes(), { fatal: false, stream: false }).text);
  const response = {
    status: wire.status,
    status_code: wire.status,
    ok: wire.status >= 200 && wire.status < 300,
    url: wire.url,
    headers: wire.headers,
    text,
    bytes,
    json() {
      try {
        return parse(text());
      } catch {
        const message = `http: the response of ${wire.url} is not JSON (status ${wire.status})`;
        throw makeOpError(
          "http.request",
          { code: "UPSTREAM_FAILED", message, details: { status: wire.status } },
          new NativeError(),
        );
      }
    },
    raise_for_status() {
      if (response.ok) return response;
      const message = `http: ${wire.url} answered ${wire.status}`;
      throw makeOpError(
        "http.request",
        { code: "UPSTREAM_FAILED", message, details: { status: wire.status } },
        new NativeError(),
      );
    },
  };
  return response;
}

function withBytes(request: Record<string, unknown>): Record<string, unknown> {
  const { body, ...rest } = request;
  if (body instanceof NativeArrayBuffer) return { ...rest, body_base64: bytesToBase64(new NativeUint8Array(body)) };
  if (isView(body)) return { ...rest, body_base64: bytesToBase64(bytesOf(body)) };
  return request;
}

/** ctx.http. */
export function createHttp(): object {
  const request = async (options: unknown) => {
    const args =
      typeof options === "object" && options !== null ? withBytes(options as Record<string, unknown>) : options;
    return toResponse((await call("http.request", args)) as WireResponse);
  };
  const verb =
    (method: string) =>
    (url: unknown, options: object = {}) =>
      request({ ...options, method, url });
  return {
    request,
    get: verb("GET"),
    delete: verb("DELETE"),
    head: verb("HEAD"),
    post: verb("POST"),
    put: verb("PUT"),
    patch: verb("PATCH"),
  };
}
