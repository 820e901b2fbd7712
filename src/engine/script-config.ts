import { fail, type Isolation } from "../../runtime/index.ts";

/** What a script's `export const config` says, parsed; null = the script says nothing about it. */
export interface ScriptConfig {
  readonly timeoutMs: number | null;
  readonly cacheTtlMs: number | null;
  /** Checked whenever a ctx call has finished, because only then its cost is known. */
  readonly budget: { readonly usd: number | null; readonly tokens: number | null };
  readonly httpAllow: readonly string[] | null;
  readonly isolation: Isolation | null;
  readonly onDisconnect: "continue" | "cancel";
  readonly validateInput: boolean;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const HOST =
  /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/i;
const MAX_HOSTS = 1_000;
/** Longest host name with a port. */
const MAX_HOST = 260;

function refuse(path: string, rule: string, value: unknown): Error {
  const shown = JSON.stringify(value) ?? typeof value;
  const message = `${path}: must be ${rule}, got ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}`;
  return fail("BUNDLE_FAILED", { message, param: path, problems: [] });
}

function membersOf(path: string, value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse(path, "an object", value);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return value as Readonly<Record<string, unknown>>;
  const message = `${path}.${unknown}: there is no such setting; known: ${known.join(", ")}`;
  throw fail("BUNDLE_FAILED", { message, param: `${path}.${unknown}`, problems: [] });
}

/** Milliseconds of a duration: a number of seconds, or a text such as "1500ms", "60s", "5m", "1h", "2d". */
export function parseDuration(path: string, value: unknown): number {
  const rule = 'a positive number of seconds or a text such as "90s", "5m" or "1h"';
  const found = typeof value === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value) : null;
  const ms = found === null ? Number(value) * 1_000 : Number(found[1]) * (UNITS[found[2] ?? ""] ?? Number.NaN);
  const isDuration = (typeof value === "number" || found !== null) && Number.isFinite(ms) && ms >= 1;
  if (isDuration) return Math.round(ms);
  throw refuse(path, rule, value);
}

function parseAmount(path: string, value: unknown): number | null {
  if (value === undefined) return null;
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw refuse(path, "a number that is not negative", value);
}

function parseBudget(value: unknown): ScriptConfig["budget"] {
  const path = "config.budget";
  const members = membersOf(path, value, ["usd", "tokens"]);
  const usd = parseAmount(`${path}.usd`, members["usd"]);
  const tokens = parseAmount(`${path}.tokens`, members["tokens"]);
  return Object.freeze({ usd, tokens });
}

function parseHosts(value: unknown): readonly string[] | null {
  if (value === undefined) return null;
  const path = "config.http.allow";
  const isList = Array.isArray(value) && value.length <= MAX_HOSTS;
  if (!isList) throw refuse(path, `a list of at most ${MAX_HOSTS} host names`, value);
  const wrong = value.find((host) => typeof host !== "string" || host.length > MAX_HOST || !HOST.test(host));
  if (wrong !== undefined) throw refuse(path, 'host names such as "api.example.com" or "*.example.com"', wrong);
  return Object.freeze(value.map((host) => String(host).toLowerCase()));
}

function parseWord<const W extends string>(path: string, value: unknown, words: readonly W[]): W | null {
  if (value === undefined) return null;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw refuse(path, `one of ${words.join(", ")}`, value);
}

function parseFlag(path: string, value: unknown): boolean {
  if (value === undefined || typeof value === "boolean") return value === true;
  throw refuse(path, "true or false", value);
}

const KEYS = ["timeout", "cache", "budget", "http", "isolation", "on_disconnect", "validate_input"];

/** Parses `config` of a script; throws BUNDLE_FAILED naming the member, the rule and the value. */
export function parseScriptConfig(raw: unknown): ScriptConfig {
  const config = membersOf("config", raw ?? undefined, KEYS);
  const cache = membersOf("config.cache", config["cache"], ["ttl"]);
  const http = membersOf("config.http", config["http"], ["allow"]);
  if (config["cache"] !== undefined && cache["ttl"] === undefined) throw refuse("config.cache.ttl", "given", undefined);
  return Object.freeze({
    timeoutMs: config["timeout"] === undefined ? null : parseDuration("config.timeout", config["timeout"]),
    cacheTtlMs: cache["ttl"] === undefined ? null : parseDuration("config.cache.ttl", cache["ttl"]),
    budget: parseBudget(config["budget"]),
    httpAllow: parseHosts(http["allow"]),
    isolation: parseWord("config.isolation", config["isolation"], ["frozen", "context", "isolate"]),
    onDisconnect: parseWord("config.on_disconnect", config["on_disconnect"], ["continue", "cancel"]) ?? "continue",
    validateInput: parseFlag("config.validate_input", config["validate_input"]),
  });
}
