import { Body, type BodyInit } from "./body.ts";
import { Headers, type HeadersInit } from "./headers.ts";
import { URL } from "./url.ts";

/** Options of a Response. */
export interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

interface Origin {
  readonly url: string;
  readonly redirected: boolean;
  readonly type: "default" | "basic" | "error";
}

const PLAIN: Origin = { url: "", redirected: false, type: "default" };
const NO_BODY = [101, 204, 205, 304];

let setOrigin: (response: Response, origin: Origin) => Response;

/** What `fetch` answers. */
export class Response extends Body {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  #origin: Origin = PLAIN;

  static {
    setOrigin = (response, origin) => {
      response.#origin = origin;
      return response;
    };
  }

  constructor(body?: BodyInit | null, { status = 200, statusText = "", headers }: ResponseInit = {}) {
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new RangeError(`the status ${status} is not between 200 and 599`);
    if (body !== null && body !== undefined && NO_BODY.includes(status))
      throw new TypeError(`a response of status ${status} has no body`);
    super(body);
    this.status = status;
    this.statusText = String(statusText);
    this.headers = new Headers(headers);
    this.describeBody();
  }
  static error(): Response {
    return setOrigin(new Response(), { url: "", redirected: false, type: "error" });
  }
  static json(value: unknown, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new Response(JSON.stringify(value), { ...init, headers });
  }
  static redirect(url: string, status = 302): Response {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`${status} is not a redirect status`);
    return new Response(null, { status, headers: { location: new URL(url).href } });
  }
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }
  get url(): string {
    return this.#origin.url;
  }
  get redirected(): boolean {
    return this.#origin.redirected;
  }
  get type(): string {
    return this.#origin.type;
  }
  clone(): Response {
    const { status, statusText, headers } = this;
    return setOrigin(new Response(this.shareBody(), { status, statusText, headers }), this.#origin);
  }
  get [Symbol.toStringTag](): string {
    return "Response";
  }
}

/** A response that came over the network. */
export function networkResponse(
  body: BodyInit | null,
  init: ResponseInit,
  origin: { url: string; redirected: boolean },
): Response {
  const empty = init.status !== undefined && NO_BODY.includes(init.status);
  return setOrigin(new Response(empty ? null : body, init), { ...origin, type: "basic" });
}
