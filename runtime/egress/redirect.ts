import { fail } from "../errors.ts";
import type { Answer } from "./dispatcher.ts";
import { withoutBodyHeaders, withoutCredentials } from "./headers.ts";
import { parseTarget, shownUrl } from "./target.ts";

/** The part of a request that a redirect may change. */
export interface Hop {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

type AnswerHead = Pick<Answer, "status" | "headers">;

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** True when the answer sends its reader elsewhere. */
export function isRedirect(answer: AnswerHead): boolean {
  return STATUSES.has(answer.status) && answer.headers["location"] !== undefined;
}

/** The address a redirect leads to; throws UPSTREAM_FAILED when it is none, CAPABILITY_DENIED as `parseTarget` does. */
function locationOf(hop: Hop, location: string): URL {
  if (URL.canParse(location, hop.url.href)) return parseTarget(location, hop.url);
  throw fail("UPSTREAM_FAILED", {
    message: `http: ${shownUrl(hop.url)} redirects to something that is not a URL`,
    url: shownUrl(hop.url),
  });
}

/**
 * The request that follows a redirect, changed as `fetch` does: 303, and 301 or 302 after POST, become GET without a
 * body; 307 and 308 keep it, to whichever origin. Stricter than `fetch`, every header that looks like a credential
 * stays with the origin it was meant for.
 */
export function nextHop(hop: Hop, answer: AnswerHead): Hop {
  const url = locationOf(hop, answer.headers["location"] ?? "");
  const carried = url.origin === hop.url.origin ? hop.headers : withoutCredentials(hop.headers);
  const { status } = answer;
  const toGet =
    (status === 303 && hop.method !== "GET" && hop.method !== "HEAD") ||
    ((status === 301 || status === 302) && hop.method === "POST");
  return toGet
    ? { method: "GET", url, headers: withoutBodyHeaders(carried), body: null }
    : { method: hop.method, url, headers: carried, body: hop.body };
}
