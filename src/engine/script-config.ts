import type { Isolation } from "../../runtime/index.ts";
import type { Amounts, ScheduleDefinition } from "../store/store.ts";
import { AMOUNT_NAMES, parseAmounts } from "./budgets/amounts.ts";
import { type Concurrency, parseConcurrency } from "./config/concurrency.ts";
import { parseDatastores } from "./config/datastores.ts";
import { type Debounce, parseDebounce } from "./config/debounce.ts";
import { isHostRule } from "./config/host-rule.ts";
import { parseRateLimit, type RateLimit } from "./config/rate-limit.ts";
import { parseRetention, type Retention } from "./config/retention.ts";
import { parseRetries, type Retries } from "./config/retries.ts";
import { parseSchedules } from "./config/schedule.ts";
import { parseDuration, parseWord, readMembers, refuse } from "./config/value.ts";

/** What a script's `export const config` says, parsed; null = the script says nothing about it. */
export interface ScriptConfig {
  readonly timeoutMs: number | null;
  readonly cacheTtlMs: number | null;
  /** The most that an execution and those it calls may spend. */
  readonly budget: Amounts | null;
  readonly httpAllow: readonly string[] | null;
  readonly isolation: Isolation | null;
  readonly onDisconnect: "continue" | "cancel";
  readonly validateInput: boolean;
  /** How long its ended executions are kept. */
  readonly retention: Retention;
  /** When it starts by itself. */
  readonly schedules: readonly ScheduleDefinition[];
  readonly retries: Retries | null;
  readonly concurrency: Concurrency | null;
  readonly rateLimit: RateLimit | null;
  readonly debounce: Debounce | null;
  /** Names of the datastores that it reads. */
  readonly datastores: readonly string[];
}

const MAX_HOSTS = 1_000;

function parseBudget(value: unknown): Amounts | null {
  const { get, path } = readMembers("config.budget", value, AMOUNT_NAMES);
  return parseAmounts(get, (name, rule, given) => refuse(path(name), rule, given));
}

function parseHosts(value: unknown): readonly string[] | null {
  if (value === undefined) return null;
  const path = "config.http.allow";
  const isList = Array.isArray(value) && value.length <= MAX_HOSTS;
  if (!isList) throw refuse(path, `a list of at most ${MAX_HOSTS} host names`, value);
  const wrong = value.find((host) => typeof host !== "string" || !isHostRule(host));
  if (wrong !== undefined) throw refuse(path, 'host names such as "api.example.com" or "*.example.com"', wrong);
  return Object.freeze(value.map((host) => String(host).toLowerCase()));
}

function parseFlag(path: string, value: unknown): boolean {
  if (value === undefined || typeof value === "boolean") return value === true;
  throw refuse(path, "true or false", value);
}

const KEYS = [
  "timeout",
  "cache",
  "budget",
  "http",
  "isolation",
  "on_disconnect",
  "validate_input",
  "schedule",
  "retention",
  "retries",
  "concurrency",
  "rateLimit",
  "debounce",
  "datastores",
];

function parseCacheTtl(value: unknown): number | null {
  if (value === undefined) return null;
  const { get, path } = readMembers("config.cache", value, ["ttl"]);
  if (get("ttl") === undefined) throw refuse(path("ttl"), "given", undefined);
  return parseDuration(path("ttl"), get("ttl"));
}

/** Parses `config` of a script; throws BUNDLE_FAILED naming the member, the rule and the value. */
export function parseScriptConfig(raw: unknown): ScriptConfig {
  const { get, path } = readMembers("config", raw ?? undefined, KEYS);
  const http = readMembers(path("http"), get("http"), ["allow"]);
  return Object.freeze({
    timeoutMs: get("timeout") === undefined ? null : parseDuration(path("timeout"), get("timeout")),
    cacheTtlMs: parseCacheTtl(get("cache")),
    budget: parseBudget(get("budget")),
    httpAllow: parseHosts(http.get("allow")),
    isolation: parseWord(path("isolation"), get("isolation"), ["frozen", "context", "isolate"]),
    onDisconnect: parseWord(path("on_disconnect"), get("on_disconnect"), ["continue", "cancel"]) ?? "continue",
    validateInput: parseFlag(path("validate_input"), get("validate_input")),
    schedules: parseSchedules(get("schedule")),
    retries: parseRetries(path("retries"), get("retries")),
    concurrency: parseConcurrency(path("concurrency"), get("concurrency")),
    rateLimit: parseRateLimit(path("rateLimit"), get("rateLimit")),
    retention: parseRetention(get("retention")),
    debounce: parseDebounce(path("debounce"), get("debounce")),
    datastores: parseDatastores(path("datastores"), get("datastores")),
  });
}
