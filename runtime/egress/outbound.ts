import { isIP } from "node:net";
import { fail, WorkflowError } from "../errors.ts";
import { createAddressPolicy } from "./address.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import { type Answer, createDispatcher } from "./dispatcher.ts";
import { createGuard, type Resolve, resolveBySystem } from "./guard.ts";
import { describeNetworkError } from "./network-error.ts";
import { retryAfterMs } from "./retry.ts";
import { hostOf, parseTarget, shownUrl } from "./target.ts";

/** One POST of the server itself. */
export interface OutboundRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** Bytes of the answer's body that are read; the rest is not waited for. */
  readonly maxAnswerBytes: number;
  readonly signal: AbortSignal;
}

/** The answer to it: any status, a redirect too, is an answer. */
export interface OutboundAnswer {
  readonly status: number;
  /** What `retry-after` asks for, ms; null = nothing. */
  readonly retryAfterMs: number | null;
  /** Beginning of the body as UTF-8. */
  readonly text: string;
}

/** Requests of the server to addresses that its users chose, behind the same guard as those of scripts. */
export interface Outbound {
  /** Checks what can be known without a connection; INVALID_ARGUMENT, CAPABILITY_DENIED. */
  check(url: string): void;
  /** One attempt; redirects are not followed. Throws what `check` throws, UPSTREAM_FAILED, UPSTREAM_TIMEOUT or the signal's reason. */
  post(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Closes every connection. */
  close(): Promise<void>;
}

async function readStart(answer: Answer, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early closes the connection.
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > maxBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, maxBytes).toString("utf8");
}

function toError(error: unknown, url: URL, deadline: Deadline): WorkflowError {
  if (deadline.signal.aborted) return deadline.signal.reason as WorkflowError;
  if (error instanceof WorkflowError) return error;
  const { reason, text } = describeNetworkError(error);
  return fail("UPSTREAM_FAILED", { message: `POST ${shownUrl(url)} failed: ${text}`, reason }, error);
}

/** Makes it; throws INVALID_ARGUMENT for a bad range. Needs `close`. */
export function createOutbound(options: {
  readonly allowPrivate: readonly string[];
  /** Hosts that may be reached at all (`host`, `*.host`, either with `:port`); default any public one. */
  readonly allowHosts?: readonly string[];
  readonly resolve?: Resolve;
}): Outbound {
  const guard = createGuard(
    createAddressPolicy(options.allowPrivate),
    options.resolve ?? resolveBySystem,
    options.allowHosts,
  );
  const dispatcher = createDispatcher({ guard });

  const checked = (text: string): URL => {
    const url = parseTarget(text);
    guard.checkName(url, null);
    const host = hostOf(url);
    const refused = isIP(host) === 0 ? null : guard.refusal(host);
    if (refused !== null) throw refused;
    return url;
  };

  return {
    check: (url) => void checked(url),
    async post({ url: text, headers, body, timeoutMs, maxAnswerBytes, signal }) {
      const url = checked(text);
      const deadline = startDeadline(signal, timeoutMs, () =>
        fail("UPSTREAM_TIMEOUT", { message: `POST ${shownUrl(url)} took longer than ${timeoutMs} ms` }),
      );
      try {
        const sent = { "accept-encoding": "identity", "user-agent": "weft", ...headers };
        const answer = await dispatcher.send({ method: "POST", url, headers: sent, body, signal: deadline.signal });
        const start = await readStart(answer, maxAnswerBytes);
        return { status: answer.status, retryAfterMs: retryAfterMs(answer.headers), text: start };
      } catch (error) {
        throw toError(error, url, deadline);
      } finally {
        deadline.clear();
      }
    },
    close: () => dispatcher.close(),
  };
}
