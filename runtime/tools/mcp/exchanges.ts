import { AsyncLocalStorage } from "node:async_hooks";
import type { EgressClient, StreamResponse } from "../../egress/client.ts";
import type { SecretHandle } from "../../egress/secret-handles.ts";
import { fail, toWorkflowError, type WorkflowError } from "../../errors.ts";

/** What a session's requests go through, and how much may come back. */
export interface ExchangeOptions {
  readonly egress: Pick<EgressClient, "open">;
  /** Hosts the workflow may reach; null = any public host. */
  readonly allow: readonly string[] | null;
  /** Sent with every request; secrets are in them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Put in where they leave. */
  readonly handles: readonly SecretHandle[];
  /** Of one answer, after decompression. */
  readonly maxBytes: number;
}

/** One request of ours that waits for its answer. */
export interface Watch {
  /** Ends its HTTP exchange. */
  readonly signal: AbortSignal;
  /** Told of the id of the request when it is sent. */
  sent(id: number): void;
  /** Told of every piece of the HTTP answer; what it throws ends the request. */
  hold(bytes: number): void;
  /** Told once the HTTP answer is over, whether or not it held the result: null when nothing went wrong. */
  ended(problem: WorkflowError | null): void;
}

/** The `fetch` that the SDK gets: every request of a session goes through the egress guard. */
export interface Exchanges {
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  /** Runs `work`; the request that it sends belongs to `watch`. */
  watching<T>(watch: Watch, work: () => Promise<T>): Promise<T>;
}

/** For messages that nobody answers: notifications, refusals. */
const NOTICE_MS = 10_000;
/** For the end of a session, which a stopping worker waits for. */
const GOODBYE_MS = 1_000;
const NOTICE_BYTES = 64 * 1024;
/** After the end of an answer its last messages may still be on their way through the SDK's streams, ms. */
const SETTLE_MS = 100;
const SHOWN_HEADERS = ["content-type", "location", "mcp-session-id"] as const;

const overLimit = (maxBytes: number): WorkflowError =>
  fail("LIMIT_EXCEEDED", {
    message: `its answer is over ${maxBytes} bytes (maxToolAnswerBytes)`,
    limit: "maxToolAnswerBytes",
    value: maxBytes,
  });

function noticeSignal(timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  const late = () => controller.abort(fail("UPSTREAM_TIMEOUT", { message: `it took no message for ${timeoutMs} ms` }));
  setTimeout(late, timeoutMs).unref();
  return controller.signal;
}

/** The id of a message that asks for an answer; null for all others. */
function requestId(body: unknown): number | null {
  if (typeof body !== "string") return null;
  const { method, id } = JSON.parse(body) as { readonly method?: unknown; readonly id?: unknown };
  return method !== undefined && typeof id === "number" ? id : null;
}

const damaged = (error: unknown, signal: AbortSignal): WorkflowError => {
  if (signal.aborted) return toWorkflowError(signal.reason);
  const { code } = error as { readonly code?: unknown };
  return fail("UPSTREAM_FAILED", { message: `its answer broke off (${String(code ?? "damaged")})` }, error);
};

interface Reading {
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  hold(bytes: number): void;
  ended(problem: WorkflowError | null): void;
}

/** The body as the SDK reads it: as it arrives, up to a number of bytes. */
function toStream({ body }: StreamResponse, { signal, maxBytes, hold, ended }: Reading): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  let bytes = 0;
  const end = (problem: WorkflowError | null) => {
    body.on("error", () => undefined).destroy();
    ended(problem);
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await chunks.next();
          if (next.done === true) {
            controller.close();
            end(null);
            return;
          }
          bytes += next.value.byteLength;
          if (bytes > maxBytes) throw overLimit(maxBytes);
          hold(next.value.byteLength);
          controller.enqueue(next.value);
        } catch (error) {
          const problem = error === signal.reason || !isOurs(error) ? damaged(error, signal) : error;
          controller.error(problem);
          end(problem);
        }
      },
      cancel: () => end(null),
    },
    { highWaterMark: 0 },
  );
}

const isOurs = (error: unknown): error is WorkflowError => toWorkflowError(error) === error;

function toResponse(answer: StreamResponse, reading: Reading): Response {
  const { status, headers } = answer;
  if (status < 200 || status > 599) {
    answer.body.destroy();
    throw fail("UPSTREAM_FAILED", { message: `it answered with the status ${status}`, status });
  }
  const shown = SHOWN_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const]));
  const bodiless = status === 204 || status === 205 || status === 304;
  const stream = toStream(answer, reading);
  if (bodiless) void stream.cancel();
  return new Response(bodiless ? null : stream, { status, headers: Object.fromEntries(shown) });
}

/** How the answer to a request of ours is read. */
const watchedReading = (watch: Watch, signal: AbortSignal, { maxBytes }: ExchangeOptions): Reading => ({
  signal,
  maxBytes,
  hold: (bytes) => watch.hold(bytes),
  ended: (problem) => void setTimeout(() => watch.ended(problem), SETTLE_MS),
});

/** How the answer to anything else is read: nobody waits for it. */
const noticeReading = (signal: AbortSignal): Reading => ({
  signal,
  maxBytes: NOTICE_BYTES,
  hold: () => undefined,
  ended: () => undefined,
});

/** What is sent belongs to `watch`; null: to nothing. */
async function exchange(
  url: string,
  init: RequestInit,
  watch: Watch | null,
  options: ExchangeOptions,
): Promise<Response> {
  const method = init.method ?? "POST";
  const own = watch?.signal ?? noticeSignal(method === "DELETE" ? GOODBYE_MS : NOTICE_MS);
  const signal = init.signal ? AbortSignal.any([own, init.signal]) : own;
  const answer = await options.egress.open({
    method,
    url,
    headers: { ...options.headers, ...Object.fromEntries(new Headers(init.headers)) },
    body: typeof init.body === "string" ? init.body : null,
    allow: options.allow,
    handles: options.handles,
    signal,
  });
  const isAnswer = answer.status >= 200 && answer.status < 300;
  return toResponse(
    answer,
    watch !== null && isAnswer ? watchedReading(watch, signal, options) : noticeReading(signal),
  );
}

/** Creates them for one session. */
export function createExchanges(options: ExchangeOptions): Exchanges {
  const watches = new AsyncLocalStorage<Watch>();
  return {
    watching: (watch, work) => watches.run(watch, work),
    async fetch(url, init = {}) {
      // The standing stream would only carry what a server asks of its client, and reopen for ever.
      if ((init.method ?? "GET") === "GET") return new Response(null, { status: 405 });
      const id = requestId(init.body);
      const watch = id === null ? null : (watches.getStore() ?? null);
      if (id !== null) watch?.sent(id);
      return exchange(String(url), init, watch, options);
    },
  };
}
