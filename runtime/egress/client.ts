import type { Readable } from "node:stream";
import { fail, WorkflowError } from "../errors.ts";
import { createAddressPolicy } from "./address.ts";
import { ACCEPT_ENCODING, decodedBody, readBody } from "./body.ts";
import { abortError, type Deadline, startDeadline } from "./deadline.ts";
import { type Answer, createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { fillHandles, hideInBody, hideInHeaders } from "./fill-handles.ts";
import { createGuard, type EgressGuard, type Resolve, resolveBySystem } from "./guard.ts";
import { toHeaders } from "./headers.ts";
import { describeNetworkError } from "./network-error.ts";
import { type Hop, isRedirect, nextHop } from "./redirect.ts";
import type { SecretHandle } from "./secret-handles.ts";
import { parseTarget, shownUrl } from "./target.ts";

const MAX_REDIRECTS = 20;
const NONE: readonly SecretHandle[] = Object.freeze([]);

/** One request of a script to the outside; every number has its unit in the name. */
export interface EgressRequest {
  /** Uppercase. */
  readonly method: string;
  readonly url: string;
  /** Sent as they are; names and values that would smuggle something are refused. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
  /** Hosts the workflow may reach (`host`, `*.host`, either with `:port`); null = any public host. */
  readonly allow: readonly string[] | null;
  /** Secrets whose texts are replaced by their values for the hosts of each, and for no other; default none. */
  readonly handles?: readonly SecretHandle[];
  readonly redirect: "follow" | "manual" | "error";
  /** For the whole exchange: all redirects, headers and body. */
  readonly timeoutMs: number;
  /** Of the body after decompression. */
  readonly maxBytes: number;
  /** Told of every piece of the body as it arrives; what it throws ends the request. */
  readonly hold?: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** The answer to an {@link EgressRequest}: any status is an answer. */
export interface EgressResponse {
  readonly status: number;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  /** Lowercase names; repeated headers are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** After decompression. */
  readonly body: Uint8Array;
}

/** A request whose answer is read as it arrives; redirects are answers like others. */
export interface StreamRequest
  extends Pick<EgressRequest, "method" | "url" | "headers" | "body" | "allow" | "handles"> {
  /** Ends the exchange, the body included; its reason should be a WorkflowError. */
  readonly signal: AbortSignal;
}

/** The answer to a {@link StreamRequest}. */
export interface StreamResponse {
  readonly status: number;
  /** Lowercase names. */
  readonly headers: Readonly<Record<string, string>>;
  /** After decompression; bounded by nothing but its reader, which must destroy it. */
  readonly body: Readable;
}

/** The only way a script's request reaches the network. */
export interface EgressClient {
  /** One attempt. Throws INVALID_ARGUMENT, CAPABILITY_DENIED, LIMIT_EXCEEDED, UPSTREAM_FAILED (`details.reason` is set when the network failed), UPSTREAM_TIMEOUT, or the signal's reason. */
  request(request: EgressRequest): Promise<EgressResponse>;
  /** Sends one request and resolves at the head of its answer; throws what `request` throws. */
  open(request: StreamRequest): Promise<StreamResponse>;
  /** Throws INVALID_ARGUMENT or CAPABILITY_DENIED for a URL that may not be reached by its name. */
  check(url: string, allow: EgressRequest["allow"]): void;
  /** Closes every connection. */
  close(): Promise<void>;
}

/** Settings of the egress client. */
export interface EgressOptions {
  /** CIDR ranges that scripts may reach although private. */
  readonly allowPrivate: readonly string[];
  /** Hosts that may be reached at all (`host`, `*.host`, either with `:port`); default any public one. */
  readonly allowHosts?: readonly string[];
  /** Default: the operating system's resolver. */
  readonly resolve?: Resolve;
}

interface Reach {
  readonly dispatcher: Dispatcher;
  readonly guard: EgressGuard;
}

/** Errors of ours (refusals, limits, the deadline) as they are; everything else is the network's. */
function toEgressError(error: unknown, hop: Pick<Hop, "method" | "url">, signal: AbortSignal): WorkflowError {
  if (signal.aborted) return abortError(signal);
  const url = shownUrl(hop.url);
  if (error instanceof WorkflowError) {
    return error.code === "UPSTREAM_FAILED"
      ? fail(error.code, { url, ...error.details, message: error.message }, error)
      : error;
  }
  const { reason, text } = describeNetworkError(error);
  return fail("UPSTREAM_FAILED", { message: `http: ${hop.method} ${url} failed: ${text}`, url, reason }, error);
}

async function finish(hop: Hop, answer: Answer, request: EgressRequest): Promise<EgressResponse> {
  const bodiless = hop.method === "HEAD" || answer.status === 204 || answer.status === 304;
  if (bodiless) await answer.discard();
  const body = bodiless
    ? new Uint8Array(0)
    : await readBody(answer, request.maxBytes, request.hold ?? (() => undefined));
  const { handles = NONE } = request;
  const shown = hideInBody(body, handles);
  const { "content-encoding": encoding, "content-length": length, ...headers } = hideInHeaders(answer.headers, handles);
  // Both describe the body as it travelled; after decoding they would be wrong.
  const isAsSent = encoding === undefined && shown === body;
  const kept = isAsSent && length !== undefined ? { ...headers, "content-length": length } : headers;
  return { status: answer.status, url: hop.url.href, headers: kept, body: shown };
}

/** Sends the request and every one it is redirected to; each hop is checked like the first. */
async function follow(reach: Reach, request: EgressRequest, first: Hop, deadline: Deadline): Promise<EgressResponse> {
  let hop = first;
  const { handles = NONE } = request;
  try {
    for (let redirects = 0; ; redirects++) {
      reach.guard.checkName(hop.url, request.allow);
      const answer = await reach.dispatcher.send({ ...fillHandles(hop, handles), signal: deadline.signal });
      if (request.redirect === "manual" || !isRedirect(answer)) return await finish(hop, answer, request);
      await answer.discard();
      if (request.redirect === "error") {
        throw fail("UPSTREAM_FAILED", {
          message: `http: ${shownUrl(hop.url)} answered with a redirect (${answer.status}) although redirect is "error"`,
          status: answer.status,
        });
      }
      if (redirects === MAX_REDIRECTS) {
        throw fail("UPSTREAM_FAILED", { message: `http: more than ${MAX_REDIRECTS} redirects`, status: answer.status });
      }
      hop = nextHop(hop, { status: answer.status, headers: hideInHeaders(answer.headers, handles) });
    }
  } catch (error) {
    throw toEgressError(error, hop, deadline.signal);
  }
}

const sent = (headers: EgressRequest["headers"]): Readonly<Record<string, string>> => ({
  "accept-encoding": ACCEPT_ENCODING,
  "user-agent": "weft",
  ...toHeaders(headers),
});

async function openStream({ dispatcher, guard }: Reach, request: StreamRequest): Promise<StreamResponse> {
  const { method, body, signal, handles = NONE } = request;
  const url = parseTarget(request.url);
  guard.checkName(url, request.allow);
  try {
    const filled = fillHandles({ method, url, headers: sent(request.headers), body }, handles);
    const answer = await dispatcher.send({ ...filled, signal });
    return { status: answer.status, headers: hideInHeaders(answer.headers, handles), body: await decodedBody(answer) };
  } catch (error) {
    throw toEgressError(error, { method, url }, signal);
  }
}

/** Creates the client; throws INVALID_ARGUMENT for a bad range. Needs `close`. */
export function createEgressClient(options: EgressOptions): EgressClient {
  const guard = createGuard(
    createAddressPolicy(options.allowPrivate),
    options.resolve ?? resolveBySystem,
    options.allowHosts,
  );
  const reach: Reach = { dispatcher: createDispatcher({ guard }), guard };
  return {
    async request(request) {
      const url = parseTarget(request.url);
      const headers = sent(request.headers);
      const deadline = startDeadline(request.signal, request.timeoutMs, () =>
        fail("UPSTREAM_TIMEOUT", {
          message: `http: ${request.method} ${shownUrl(url)} took longer than ${request.timeoutMs} ms (timeout_ms)`,
          url: shownUrl(url),
          limit: "timeout_ms",
          value: request.timeoutMs,
        }),
      );
      try {
        return await follow(reach, request, { method: request.method, url, headers, body: request.body }, deadline);
      } finally {
        deadline.clear();
      }
    },
    open: (request) => openStream(reach, request),
    check: (url, allow) => guard.checkName(parseTarget(url), allow),
    close: () => reach.dispatcher.close(),
  };
}
