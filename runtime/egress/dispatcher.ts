import { isIP, type LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import type { Agent, buildConnector } from "undici";

const CONNECT_TIMEOUT_MS = 10_000;

/** Names and values of an answer's headers together, and of its trailers; whatever Node's own limit is. */
export const MAX_HEADER_BYTES = 16_384;

/** Informational answers (1xx) to one request. */
export const MAX_HINTS = 100;

/** Rules for every new connection; kept-alive ones passed them when they were made. */
export interface ConnectGuard {
  /** Resolves a host name to checked addresses only; the connection goes to one of them. */
  readonly lookup: LookupFunction;
  /** The error to end a connection to this address with, or null when it is fine. */
  refusal(address: string): Error | null;
}

/** One HTTP request as it is sent; nothing is added but `host`, `connection` and the body's length. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
  readonly signal: AbortSignal;
}

/** Status and headers of an answer, and its body as it arrives (still compressed). */
export interface Answer {
  readonly status: number;
  /** Lowercase names; repeated headers are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  /** Reads a short rest of the body away so that the connection can be used again; closes it otherwise. */
  discard(): Promise<void>;
}

/** Keep-alive connections, pooled per origin; the only user of undici. */
export interface Dispatcher {
  /** Sends one request and resolves at its headers; rejects with the signal's reason, the guard's error or a network error with a `code`. */
  send(exchange: Exchange): Promise<Answer>;
  /** Ends all connections at once. */
  close(): Promise<void>;
}

const closedError = (): Error => Object.assign(new Error("closed at once"), { code: "ECONNRESET" });

type Undici = typeof import("undici");

function createGuardedConnector(undici: Undici, guard: ConnectGuard): buildConnector.connector {
  const connect = undici.buildConnector({ lookup: guard.lookup, timeout: CONNECT_TIMEOUT_MS, allowH2: false });
  return (options, callback) => {
    const literal = options.hostname.replace(/^\[|\]$/g, "");
    // net never looks up a literal, so the lookup cannot refuse it.
    const refused = isIP(literal) === 0 ? null : guard.refusal(literal);
    if (refused !== null) {
      callback(refused, null);
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      const { remoteAddress } = socket;
      const strayed = remoteAddress === undefined ? closedError() : guard.refusal(remoteAddress);
      if (strayed === null) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(strayed, null);
    });
  };
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

/** Ends a request by an error thrown from here: at one informational answer too many, and at a change of protocol, which would stop undici at an assertion. */
function countHints(): (info: { readonly statusCode: number }) => void {
  let left = MAX_HINTS;
  return ({ statusCode }) => {
    if (statusCode === 101) throw Object.assign(new Error("switched protocols"), { code: "HPE_UNASKED" });
    if (left-- === 0) throw Object.assign(new Error("hints without end"), { code: "HPE_HINTS" });
  };
}

/** A pool; with a guard every connection is checked, without one (operator's own upstreams) none is. */
export function createDispatcher(options: { readonly guard: ConnectGuard | null }): Dispatcher {
  const { guard } = options;
  let agent: Agent | undefined;
  let closed = false;
  // Loaded by the first request of a thread: it is large, and many threads send none.
  const open = async (): Promise<Agent> => {
    const undici = await import("undici");
    if (closed) throw closedError();
    const connect = guard === null ? { timeout: CONNECT_TIMEOUT_MS } : createGuardedConnector(undici, guard);
    const bounds = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: 0, bodyTimeout: 0 };
    agent ??= new undici.Agent({ connect, allowH2: false, ...bounds });
    return agent;
  };
  return {
    async send({ method, url, headers, body, signal }) {
      const opened = agent ?? (await open());
      const {
        statusCode,
        headers: received,
        body: stream,
      } = await opened.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers,
        body,
        signal,
        onInfo: countHints(),
      });
      return {
        status: statusCode,
        headers: flatten(received),
        body: stream,
        discard: () => stream.dump({ limit: 65_536 }),
      };
    },
    async close() {
      closed = true;
      await agent?.destroy();
    },
  };
}
