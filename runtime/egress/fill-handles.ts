import { fail } from "../errors.ts";
import type { Hop } from "./redirect.ts";
import type { SecretHandle } from "./secret-handles.ts";
import { isAllowed, shownUrl } from "./target.ts";

type Sent = Pick<Hop, "url" | "headers" | "body">;
type Headers = Hop["headers"];

const BASIC = /^(basic +)([A-Za-z0-9+/]+={0,2})$/i;

const escaped = (value: string) => JSON.stringify(value).slice(1, -1);

/** The text within the credentials of basic authorization. */
function decodeBasic(header: string): string | null {
  const encoded = BASIC.exec(header)?.[2];
  return encoded === undefined ? null : Buffer.from(encoded, "base64").toString("utf8");
}

const hasText = (header: string, text: string) =>
  header.includes(text) || (decodeBasic(header)?.includes(text) ?? false);

function isSent({ url, headers, body }: Sent, { text }: SecretHandle): boolean {
  if (url.href.includes(text) || Object.values(headers).some((header) => hasText(header, text))) return true;
  if (body === null) return false;
  return typeof body === "string" ? body.includes(text) : asBuffer(body).includes(text);
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function fillHeader(header: string, { text, value }: SecretHandle): string {
  const credentials = header.includes(text) ? null : decodeBasic(header);
  if (credentials === null || !credentials.includes(text)) return header.replaceAll(text, () => value);
  const filled = Buffer.from(credentials.replaceAll(text, () => value)).toString("base64");
  return header.replace(BASIC, (_all, scheme: string) => `${scheme}${filled}`);
}

function fillUrl(url: URL, { text, value }: SecretHandle): URL {
  if (!url.href.includes(text)) return url;
  const filled = new URL(url);
  const encoded = encodeURIComponent(value);
  filled.pathname = url.pathname.replaceAll(text, () => encoded);
  filled.search = url.search.replaceAll(text, () => encoded);
  return filled;
}

/** The value as the kind of body writes it. */
function spellingIn(headers: Headers, value: string): string {
  const type = headers["content-type"]?.toLowerCase() ?? "";
  if (/\bjson\b/.test(type)) return escaped(value);
  return type.startsWith("application/x-www-form-urlencoded") ? encodeURIComponent(value) : value;
}

function fillBody({ headers, body }: Sent, { text, value }: SecretHandle): Hop["body"] {
  if (body === null) return null;
  const spelling = spellingIn(headers, value);
  if (typeof body === "string") return body.replaceAll(text, () => spelling);
  const bytes = asBuffer(body);
  if (!bytes.includes(text)) return body;
  const latin1 = Buffer.from(spelling).toString("latin1");
  return Buffer.from(
    bytes.toString("latin1").replaceAll(text, () => latin1),
    "latin1",
  );
}

function fillOne<S extends Sent>(sent: S, handle: SecretHandle): S {
  if (!isSent(sent, handle)) return sent;
  const { url, headers } = sent;
  if (!isAllowed(url, handle.hosts)) {
    const message = `http: the secret handle ${JSON.stringify(handle.name)} may not be sent to ${url.host}; its hosts are ${handle.hosts.join(", ") || "none"}`;
    throw fail("CAPABILITY_DENIED", { message, url: shownUrl(url), secret: handle.name });
  }
  return {
    ...sent,
    url: fillUrl(url, handle),
    headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, fillHeader(header, handle)])),
    body: fillBody(sent, handle),
  };
}

/** A request with the values of handles in place of their texts; CAPABILITY_DENIED for a host that the secret's owner did not list. */
export function fillHandles<S extends Sent>(sent: S, handles: readonly SecretHandle[]): S {
  return handles.reduce(fillOne, sent);
}

/** How an answer may repeat a value. */
const spellings = (value: string) => [...new Set([value, escaped(value), encodeURIComponent(value)])];

/** Values that came back become texts again: in a header, so that a redirect does not carry one on. */
export function hideInText(text: string, handles: readonly SecretHandle[]): string {
  return handles.reduce(
    (shown, handle) => spellings(handle.value).reduce((all, spelling) => all.replaceAll(spelling, handle.text), shown),
    text,
  );
}

/** The same for all headers of an answer. */
export function hideInHeaders(headers: Headers, handles: readonly SecretHandle[]): Headers {
  if (handles.length === 0) return headers;
  return Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, hideInText(header, handles)]));
}

/** The same for a body, whatever its bytes mean. */
export function hideInBody(body: Uint8Array, handles: readonly SecretHandle[]): Uint8Array {
  const bytes = asBuffer(body);
  const found = handles.filter(({ value }) => spellings(value).some((spelling) => bytes.includes(spelling)));
  if (found.length === 0) return body;
  const inLatin1 = (text: string) => Buffer.from(text).toString("latin1");
  const hidden = found.reduce(
    (all, { value, text }) => spellings(value).reduce((rest, one) => rest.replaceAll(inLatin1(one), text), all),
    bytes.toString("latin1"),
  );
  return Buffer.from(hidden, "latin1");
}
