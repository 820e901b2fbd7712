import { toHeaders } from "../egress/headers.ts";
import { type Fields, invalidIn, isFields, shown } from "./arguments.ts";
import type { Scope } from "./capability.ts";

/** The checked arguments of one `http.request`. */
export interface HttpArgs {
  readonly method: string;
  /** With `params` added. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
  readonly redirect: "follow" | "manual" | "error";
  /** For all attempts together. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Attempts after the first. */
  readonly retries: number;
}

/** Numbers of `ctx.http`, unit in the name. */
export const HTTP_LIMITS = Object.freeze({
  defaultTimeoutMs: 30_000,
  maxTimeoutMs: 3_600_000,
  defaultRetries: 2,
  maxRetries: 10,
  maxUrlLength: 16_384,
});

const FIELDS: ReadonlySet<string> = new Set([
  "method",
  "url",
  "headers",
  "params",
  "json",
  "form",
  "body",
  "body_base64",
  "timeout_ms",
  "redirect",
  "max_bytes",
  "retries",
]);
const BODY_FIELDS = ["json", "form", "body", "body_base64"] as const;
/** They mean tunnels and mirrors, not requests. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

const invalid = invalidIn("http");

/** True for methods that change something, so that a repeat must be recognisable. */
export function isMutating(method: string): boolean {
  return !SAFE.has(method);
}

function parseMethod(value: unknown): string {
  if (value === undefined) return "GET";
  if (typeof value !== "string" || !/^[A-Za-z][A-Za-z-]{0,31}$/.test(value)) {
    throw invalid("method", `must be an HTTP method, got ${shown(value)}`);
  }
  const method = value.toUpperCase();
  if (REFUSED_METHODS.has(method)) throw invalid("method", `${method} is not possible`);
  return method;
}

/** An object of texts; numbers and booleans are written as texts where `loose`. */
function texts(fields: Fields, field: string, loose: boolean): Readonly<Record<string, string>> {
  const value = fields[field] ?? {};
  if (!isFields(value)) throw invalid(field, `must be an object, got ${shown(value)}`);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      if (typeof each === "string") return [name, each];
      if (loose && (typeof each === "number" || typeof each === "boolean")) return [name, String(each)];
      throw invalid(`${field}.${name}`, `must be a string${loose ? ", number or boolean" : ""}, got ${shown(each)}`);
    }),
  );
}

function integer(
  fields: Fields,
  field: string,
  bounds: { readonly min: number; readonly max: number; readonly fallback: number },
): number {
  const value = fields[field] ?? bounds.fallback;
  if (Number.isInteger(value) && (value as number) >= bounds.min && (value as number) <= bounds.max)
    return value as number;
  throw invalid(field, `must be an integer from ${bounds.min} to ${bounds.max}, got ${shown(value)}`);
}

function parseUrl(fields: Fields): string {
  const { url } = fields as { readonly url?: unknown };
  if (typeof url !== "string" || !URL.canParse(url)) throw invalid("url", "must be an absolute http or https URL");
  const target = new URL(url);
  for (const [name, value] of Object.entries(texts(fields, "params", true))) target.searchParams.append(name, value);
  const { length } = target.href;
  if (length > HTTP_LIMITS.maxUrlLength) {
    throw invalid("url", `may have ${HTTP_LIMITS.maxUrlLength} characters, has ${length}`);
  }
  return target.href;
}

interface Body {
  readonly body: string | Uint8Array | null;
  readonly contentType: string | null;
}

function decodeBase64(value: unknown): Uint8Array {
  if (typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw invalid("body_base64", "must be base64 text");
  }
  return Buffer.from(value, "base64");
}

function parseBody(fields: Fields): Body {
  const given = BODY_FIELDS.filter(
    (field) => fields[field] !== undefined && (field === "json" || fields[field] !== null),
  );
  if (given.length > 1) throw invalid(given.join(" and "), "exclude each other; give one");
  switch (given[0]) {
    case "json":
      return { body: JSON.stringify(fields["json"]), contentType: "application/json" };
    case "form":
      return {
        body: new URLSearchParams(texts(fields, "form", true)).toString(),
        contentType: "application/x-www-form-urlencoded",
      };
    case "body":
      if (typeof fields["body"] !== "string") throw invalid("body", "must be a string or bytes");
      return { body: fields["body"], contentType: null };
    case "body_base64":
      return { body: decodeBase64(fields["body_base64"]), contentType: null };
    default:
      return { body: null, contentType: null };
  }
}

function parseRedirect(value: unknown): HttpArgs["redirect"] {
  const redirect = value ?? "follow";
  if (redirect === "follow" || redirect === "manual" || redirect === "error") return redirect;
  throw invalid("redirect", `must be "follow", "manual" or "error", got ${shown(redirect)}`);
}

/** Checks what a script passed to `ctx.http`; throws INVALID_ARGUMENT naming field, limit and value. */
export function parseHttpArgs(args: unknown, scope: Scope): HttpArgs {
  if (!isFields(args)) throw invalid("the argument", `must be an object, got ${shown(args)}`);
  const unknown = Object.keys(args).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) throw invalid(`"${unknown}"`, "is not a known field");
  const method = parseMethod(args["method"]);
  const { body, contentType } = parseBody(args);
  const headers = toHeaders(texts(args, "headers", false));
  const { maxResultBytes } = scope.job.limits;
  return {
    method,
    url: parseUrl(args),
    headers: contentType === null || "content-type" in headers ? headers : { ...headers, "content-type": contentType },
    body,
    redirect: parseRedirect(args["redirect"]),
    timeoutMs: integer(args, "timeout_ms", {
      min: 1,
      max: HTTP_LIMITS.maxTimeoutMs,
      fallback: HTTP_LIMITS.defaultTimeoutMs,
    }),
    maxBytes: integer(args, "max_bytes", { min: 1, max: maxResultBytes, fallback: maxResultBytes }),
    retries: integer(args, "retries", {
      min: 0,
      max: HTTP_LIMITS.maxRetries,
      fallback: IDEMPOTENT.has(method) ? HTTP_LIMITS.defaultRetries : 0,
    }),
  };
}
