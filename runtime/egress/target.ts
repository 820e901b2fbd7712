import { fail, type WorkflowError } from "../errors.ts";

/** Names that lead to this machine or its network, whatever the resolver says. */
const SPECIAL_SUFFIXES: readonly string[] = [
  "alt",
  "arpa",
  "corp",
  "home",
  "intern",
  "internal",
  "intranet",
  "invalid",
  "lan",
  "local",
  "localdomain",
  "onion",
  "private",
  "test",
];

/** A host name without the dots at its end; reads each of them once, however many there are. */
export function withoutTrailingDots(name: string): string {
  let end = name.length;
  while (name[end - 1] === ".") end--;
  return name.slice(0, end);
}

/** The host of a URL without brackets and without trailing dots, lowercase. */
export function hostOf(url: URL): string {
  return withoutTrailingDots(url.hostname.replace(/^\[|\]$/g, ""));
}

/** True for names that always mean this machine (RFC 6761). */
export function isLoopbackName(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

/** True for names without a dot or under a suffix that is never public. */
export function isSpecialName(host: string): boolean {
  if (host.includes(":")) return false;
  const labels = host.split(".");
  const last = labels.at(-1) ?? "";
  return labels.length < 2 || SPECIAL_SUFFIXES.includes(last);
}

/** A URL as error messages may show it: without userinfo, query and fragment, which may hold secrets. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

const denied = (url: URL, message: string): WorkflowError =>
  fail("CAPABILITY_DENIED", { message: `http: ${message}`, url: shownUrl(url) });

/** Parses and checks the form of a URL; throws INVALID_ARGUMENT when it is none, CAPABILITY_DENIED for other schemes, userinfo and port 0. */
export function parseTarget(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw fail("INVALID_ARGUMENT", { message: "http: url is not a valid absolute URL", field: "url" });
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw denied(url, `url has the scheme "${url.protocol.slice(0, -1)}"; only http and https are possible`);
  }
  if (url.username !== "" || url.password !== "") {
    throw denied(url, "url has a user name or password in it; send an Authorization header instead");
  }
  if (url.port === "0") throw denied(url, "url has port 0, which cannot be reached");
  url.hash = "";
  return url;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/** The normal form of an allow rule (`host`, `*.host`, either with `:port`), or null when it is none. */
function parseRule(
  rule: string,
): { readonly host: string; readonly wildcard: boolean; readonly port: string | null } | null {
  const wildcard = rule.startsWith("*.");
  const text = wildcard ? rule.slice(2) : rule;
  const port = /:(\d{1,5})$/.exec(text.includes("[") ? text.slice(text.indexOf("]")) : text)?.[1] ?? null;
  const name = port === null ? text : text.slice(0, -(port.length + 1));
  const url = /[/?#@*\\]/.test(name) ? null : URL.parse(`http://${name}/`);
  if (url === null || url.port !== "") return null;
  return { host: hostOf(url), wildcard, port };
}

/** True when a rule of `allow` covers the URL; a rule without a port covers every port, and `*.host` does not cover `host` itself. */
export function isAllowed(url: URL, allow: readonly string[]): boolean {
  const host = hostOf(url);
  const port = url.port === "" ? DEFAULT_PORTS[url.protocol] : url.port;
  return allow.some((text) => {
    const rule = parseRule(text);
    if (rule === null || (rule.port !== null && rule.port !== port)) return false;
    return rule.wildcard ? host.endsWith(`.${rule.host}`) : host === rule.host;
  });
}
