import { type KeyPath, parseKeyPath } from "./key-path.ts";
import { parseDuration, parseWhole, readMembers, refuse } from "./value.ts";

/** How many executions of a workflow start within a period, per key. */
export interface RateLimit {
  readonly limit: number;
  readonly periodMs: number;
  readonly key: KeyPath;
}

const MAX_LIMIT = 1_000_000;
const MAX_PERIOD_MS = 366 * 86_400_000;
const DEFAULT_PERIOD_MS = 60_000;

/** Parses `config.rateLimit`; null when the script says nothing. */
export function parseRateLimit(at: string, value: unknown): RateLimit | null {
  if (value === undefined) return null;
  const { get, path } = readMembers(at, value, ["limit", "period", "key"]);
  const period = get("period");
  const periodMs = period === undefined ? DEFAULT_PERIOD_MS : parseDuration(path("period"), period);
  if (periodMs > MAX_PERIOD_MS) throw refuse(path("period"), `at most ${MAX_PERIOD_MS} ms`, period);
  const limit = parseWhole(path("limit"), get("limit"), 1, MAX_LIMIT);
  return Object.freeze({ limit, periodMs, key: parseKeyPath(path("key"), get("key")) });
}
