import { Body, type BodyInit } from "./body.ts";
import { Headers, type HeadersInit } from "./headers.ts";
import { URL } from "./url.ts";

/** Options of a Request. */
export interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
  redirect?: "follow" | "manual" | "error";
  signal?: AbortSignal | null;
  [other: string]: unknown;
}

const UPPER = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

function toMethod(value: string): string {
  const upper = value.toUpperCase();
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(value) || ["CONNECT", "TRACE", "TRACK"].includes(upper)) {
    throw new TypeError(`${JSON.stringify(value)} is not a method`);
  }
  return UPPER.includes(upper) ? upper : value;
}

function toUrl(input: unknown): string {
  const url = new URL(String(input));
  if (url.username !== "" || url.password !== "") throw new TypeError("a request URL holds no user name or password");
  return url.href;
}

/** A request for `fetch`. */
export class Request extends Body {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly redirect: "follow" | "manual" | "error";
  readonly signal: AbortSignal;

  constructor(input: string | { readonly href: string } | Request, init: RequestInit = {}) {
    const from = input instanceof Request ? input : undefined;
    const method = toMethod(init.method ?? from?.method ?? "GET");
    const body = init.body ?? from?.shareBody() ?? null;
    if (body !== null && (method === "GET" || method === "HEAD"))
      throw new TypeError(`a ${method} request has no body`);
    super(body);
    this.url = from?.url ?? toUrl(input);
    this.method = method;
    this.headers = new Headers(init.headers ?? from?.headers);
    this.redirect = init.redirect ?? from?.redirect ?? "follow";
    this.signal = init.signal ?? from?.signal ?? new AbortController().signal;
    this.describeBody();
  }
  clone(): Request {
    return new Request(this);
  }
  get [Symbol.toStringTag](): string {
    return "Request";
  }
}
