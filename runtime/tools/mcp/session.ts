import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type JSONRPCMessage, ResultSchema } from "@modelcontextprotocol/sdk/types.js";
import type { EgressClient } from "../../egress/client.ts";
import { shownUrl } from "../../egress/target.ts";
import { fail, type WorkflowError } from "../../errors.ts";
import { quoted } from "../text.ts";
import { createExchanges, type Exchanges } from "./exchanges.ts";
import { isRefusal, isSessionGone, toMcpError } from "./problems.ts";
import type { McpTarget } from "./target.ts";

/** One request of the protocol. */
export interface McpRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Told when there is a session and the request goes out. */
  sent(): void;
  /** Told of every piece of the answer; what it throws ends the request. */
  hold(bytes: number): void;
}

/** How a request ended: the server's result, its refusal (a JSON-RPC error), or that it forgot the session. */
export type McpAnswer =
  | { readonly kind: "result"; readonly result: Readonly<Record<string, unknown>> }
  | { readonly kind: "refusal"; readonly text: string }
  | { readonly kind: "gone"; readonly error: WorkflowError };

/** A session with a server. */
export interface McpSession {
  /** Asks once; throws LIMIT_EXCEEDED, CAPABILITY_DENIED, UPSTREAM_FAILED (each names the server), or the signal's reason. */
  ask(request: McpRequest, signal: AbortSignal): Promise<McpAnswer>;
  /** True once the server broke the protocol or left a request unanswered: the session should not be used again. */
  readonly broken: boolean;
  /** Tells the server and closes what is open; never rejects. */
  close(): Promise<void>;
}

/** What a server may ask of us (it is refused) in one session, pings included. */
const MAX_SERVER_REQUESTS = 100;
/** The SDK's own timers never fire: time is kept by the signal. */
const NEVER_MS = 2_147_483_647;

const NO_VALIDATOR = {
  getValidator: () => {
    throw new Error("schemas of servers are never compiled");
  },
};

function createTransport(target: McpTarget, exchanges: Exchanges): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(target.url), {
    fetch: exchanges.fetch,
    reconnectionOptions: {
      initialReconnectionDelay: 1,
      maxReconnectionDelay: 1,
      reconnectionDelayGrowFactor: 1,
      maxRetries: 0,
    },
  });
}

const ended = () => fail("EXECUTION_CANCELLED", { message: "the request is over" });

class Session implements McpSession {
  readonly #server: string;
  readonly #exchanges: Exchanges;
  readonly #transport: StreamableHTTPClientTransport;
  // Nothing is offered to servers: no sampling, no elicitation, no roots. The SDK refuses what they ask all the same.
  readonly #client = new Client(
    { name: "weft", version: "1" },
    { capabilities: {}, jsonSchemaValidator: NO_VALIDATOR },
  );
  /** Ids of requests whose result or refusal has not come. */
  readonly #unanswered = new Set<unknown>();
  #problem: WorkflowError | null = null;
  #asked = 0;

  constructor(target: McpTarget, egress: Pick<EgressClient, "open">) {
    const { allow, headers, handles, maxAnswerBytes: maxBytes } = target;
    this.#server = shownUrl(new URL(target.url));
    this.#exchanges = createExchanges({ egress, allow, headers, handles, maxBytes });
    this.#transport = createTransport(target, this.#exchanges);
    this.#transport.onmessage = (message) => this.#look(message);
    // Each problem ends the request that it belongs to; what belongs to none concerns nobody.
    this.#client.onerror = () => undefined;
  }

  get broken(): boolean {
    return this.#problem !== null;
  }

  async open(signal: AbortSignal): Promise<void> {
    // The SDK's type has members that may be undefined where the interface says they may be missing.
    const transport = this.#transport as Transport;
    const welcome = { method: "initialize", hold: () => undefined };
    await this.#watched(welcome, signal, () => this.#client.connect(transport, { signal, timeout: NEVER_MS }));
  }

  async ask(request: McpRequest, signal: AbortSignal): Promise<McpAnswer> {
    const { method, params } = request;
    const reused = this.#transport.sessionId !== undefined;
    try {
      const send = () => this.#client.request({ method, params }, ResultSchema, { signal, timeout: NEVER_MS });
      return { kind: "result", result: await this.#watched(request, signal, send) };
    } catch (error) {
      const { cause } = error as { readonly cause?: unknown };
      if (this.#problem === null && isRefusal(cause)) return { kind: "refusal", text: quoted(cause.message) };
      if (reused && isSessionGone(cause)) return { kind: "gone", error: error as WorkflowError };
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#transport.terminateSession().catch(() => undefined);
    await this.#client.close().catch(() => undefined);
  }

  /** Runs one request; its HTTP exchange ends with it, and an HTTP answer that ends without the result ends it. */
  async #watched<T>(
    { method, hold }: Pick<McpRequest, "method" | "hold">,
    signal: AbortSignal,
    send: () => Promise<T>,
  ): Promise<T> {
    const finished = new AbortController();
    const early = Promise.withResolvers<never>();
    early.promise.catch(() => undefined);
    const missing = () => fail("UPSTREAM_FAILED", { message: "its answer ended without a result of the request" });
    let id: number | null = null;
    const watch = {
      signal: finished.signal,
      sent: (given: number) => {
        id = given;
        this.#unanswered.add(given);
      },
      hold,
      ended: (problem: WorkflowError | null) => {
        if (id !== null && this.#unanswered.has(id)) early.reject(problem ?? missing());
      },
    };
    try {
      signal.throwIfAborted();
      return await Promise.race([this.#exchanges.watching(watch, send), early.promise]);
    } catch (error) {
      if (signal.aborted) throw this.#break(signal.reason as WorkflowError);
      const named = this.#problem ?? toMcpError(error, this.#server, method);
      throw isRefusal(error) ? named : this.#break(named);
    } finally {
      if (id !== null) this.#unanswered.delete(id);
      finished.abort(ended());
    }
  }

  #break(problem: WorkflowError): WorkflowError {
    this.#problem ??= problem;
    return problem;
  }

  #look(message: JSONRPCMessage): void {
    if (!("method" in message)) this.#unanswered.delete(message.id);
    else if ("id" in message && ++this.#asked > MAX_SERVER_REQUESTS) this.#refuse(message.method);
  }

  #refuse(method: string): void {
    const text = `it sent over ${MAX_SERVER_REQUESTS} requests of its own (maxServerRequests); what servers ask of their clients is refused`;
    this.#break(
      toMcpError(
        fail("LIMIT_EXCEEDED", { message: text, limit: "maxServerRequests", value: MAX_SERVER_REQUESTS }),
        this.#server,
        method,
      ),
    );
    void this.#client.close();
  }
}

/** Opens a session (`initialize`); throws what {@link McpSession.ask} throws. Needs `close`. */
export async function openSession(
  target: McpTarget,
  egress: Pick<EgressClient, "open">,
  signal: AbortSignal,
): Promise<McpSession> {
  const session = new Session(target, egress);
  try {
    await session.open(signal);
    return session;
  } catch (error) {
    void session.close();
    throw error;
  }
}
