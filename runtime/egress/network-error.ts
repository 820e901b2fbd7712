import { MAX_HEADER_BYTES, MAX_HINTS } from "./dispatcher.ts";

const TEXTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed",
  EAI_AGAIN: "the host name could not be resolved for now",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was closed by the other side",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ENOTFOUND: "the host name does not exist",
  EPIPE: "the connection was closed by the other side",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host",
  ETIMEDOUT: "the connection timed out",
  HPE_HINTS: `the server sent more than ${MAX_HINTS} informational answers to one request`,
  HPE_INVALID: "the server did not answer with valid HTTP",
  HPE_UNASKED: "the server sent 100 Continue or 101 Switching Protocols, which nobody asked for",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is self-signed",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_HEADERS_OVERFLOW: `its headers are over ${MAX_HEADER_BYTES} bytes`,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the answer does not have the length that it says",
  UND_ERR_SOCKET: "the connection was closed by the other side",
};

interface Seen {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: readonly { readonly code?: unknown }[];
}

/** The HTTP parser's errors have no code, and one code of undici's stands for a closed connection and for answers that nobody asked for. */
function reasonOf(seen: Seen | null): string {
  const message = String(seen?.message);
  if (seen?.name === "HTTPParserError") return message.includes("EOF") ? "ECONNRESET" : "HPE_INVALID";
  if (seen?.code === "UND_ERR_SOCKET" && /^bad (response|upgrade)$/.test(message)) return "HPE_UNASKED";
  // Several addresses were tried: the first one's reason stands for all.
  const code = seen?.code ?? seen?.errors?.[0]?.code;
  return typeof code === "string" ? code : "UNKNOWN";
}

/** What a failed connection or broken transfer is called: a stable code and a phrase without addresses. */
export function describeNetworkError(error: unknown): { readonly reason: string; readonly text: string } {
  const reason = reasonOf(error as Seen | null);
  return { reason, text: TEXTS[reason] ?? `the connection failed (${reason})` };
}

/** Failures that the same request meets again: no such host, wrong certificate, not HTTP, headers without measure. */
const LASTING =
  /^(ENOTFOUND|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HPE_|UND_ERR_HEADERS_OVERFLOW|UND_ERR_INVALID_ARG)/;

/** Failures to connect at all. */
const UNSENT =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_)/;

/** True when the other side has certainly not seen the request. */
export function isUnsent(reason: string | null): boolean {
  return reason !== null && UNSENT.test(reason);
}

/** True when a failed request may succeed when it is sent again. */
export function isPassing(reason: string): boolean {
  return !LASTING.test(reason);
}
