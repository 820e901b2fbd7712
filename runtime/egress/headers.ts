import { fail, type WorkflowError } from "../errors.ts";

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Headers a script cannot choose. The connection is Weft's: these would fake its target, its end or its body's length. */
export const REFUSED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What a header that holds a credential is usually called: `authorization`, `x-api-key`, `x-amz-security-token`, … */
const CREDENTIAL = /auth|cookie|credential|key|passw|secret|session|signature|token/;
/** Named alike, and needed at every place a request is sent to. */
const NO_CREDENTIALS: ReadonlySet<string> = new Set(["idempotency-key"]);

const BODY_HEADERS: readonly string[] = ["content-encoding", "content-language", "content-location", "content-type"];

const bad = (name: string, why: string): WorkflowError =>
  fail("INVALID_ARGUMENT", { message: `http: headers: ${JSON.stringify(name)} ${why}`, field: "headers" });

/** True when the text may be a header's value: no line breaks, no control characters, nothing outside Latin-1. */
function isValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code > 0xff || code === 0x7f || (code < 0x20 && code !== 0x09)) return false;
  }
  return true;
}

/** Headers under lowercase names; throws INVALID_ARGUMENT for names and values that could smuggle something. */
export function toHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (!NAME.test(name)) throw bad(name, "is not a header name");
    if (REFUSED.has(key)) throw bad(name, "is set by the server and cannot be chosen");
    if (key in checked) throw bad(name, "is given twice");
    if (!isValue(value))
      throw bad(name, "has a value with a line break, a control character or a character outside Latin-1");
    checked[key] = value;
  }
  return checked;
}

const without = (headers: Readonly<Record<string, string>>, leave: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !leave(name)));

/** True when the name of a header, in any case, says that its value is a credential. */
export function isCredential(name: string): boolean {
  const key = name.toLowerCase();
  return CREDENTIAL.test(key) && !NO_CREDENTIALS.has(key);
}

/** The headers that may follow a redirect to another origin: whatever looks like a credential stays with the first. */
export function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return without(headers, isCredential);
}

/** The headers that may follow a redirect that drops the body. */
export function withoutBodyHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return without(headers, (name) => BODY_HEADERS.includes(name));
}
