import { parseDuration, parseWhole, parseWord, readMembers, refuse } from "./value.ts";

/** Kinds of failures by whose they are. */
export const FAILURES = ["infrastructure", "upstream", "script"] as const;
/** Whose failure it was. */
export type Failure = (typeof FAILURES)[number];

/** When an execution that failed is tried again. */
export interface Retries {
  /** Further attempts after the first. */
  readonly max: number;
  readonly backoff: "exponential" | "fixed";
  /** Wait before the first further attempt, ms. */
  readonly delayMs: number;
  /** Longest wait, ms. */
  readonly maxDelayMs: number;
  readonly on: readonly Failure[];
}

const MAX_RETRIES = 100;
const MAX_DELAY_MS = 30 * 86_400_000;

/** What applies to background calls of scripts that say nothing. */
export const DEFAULT_RETRIES: Retries = Object.freeze({
  max: 3,
  backoff: "exponential",
  delayMs: 1_000,
  maxDelayMs: 300_000,
  on: Object.freeze(["infrastructure"] as const),
});

function parseOn(path: string, value: unknown): readonly Failure[] {
  if (value === undefined) return DEFAULT_RETRIES.on;
  const rule = `a list of ${FAILURES.join(", ")}`;
  if (!Array.isArray(value)) throw refuse(path, rule, value);
  const wrong = value.find((item) => !FAILURES.includes(item));
  if (wrong !== undefined) throw refuse(path, rule, wrong);
  return Object.freeze(FAILURES.filter((item) => value.includes(item)));
}

function parseWait(path: string, value: unknown, fallback: number): number {
  const ms = value === undefined ? fallback : parseDuration(path, value);
  if (ms <= MAX_DELAY_MS) return ms;
  throw refuse(path, `at most ${MAX_DELAY_MS} ms`, value);
}

/** Parses `config.retries`; null when the script says nothing. */
export function parseRetries(at: string, value: unknown): Retries | null {
  if (value === undefined) return null;
  const members = readMembers(at, value, ["max", "backoff", "delay", "maxDelay", "on"]);
  const { get, path } = members;
  const max = get("max");
  const delayMs = parseWait(path("delay"), get("delay"), DEFAULT_RETRIES.delayMs);
  return Object.freeze({
    max: max === undefined ? DEFAULT_RETRIES.max : parseWhole(path("max"), max, 0, MAX_RETRIES),
    backoff: parseWord(path("backoff"), get("backoff"), ["exponential", "fixed"]) ?? DEFAULT_RETRIES.backoff,
    delayMs,
    maxDelayMs: parseWait(path("maxDelay"), get("maxDelay"), Math.max(delayMs, DEFAULT_RETRIES.maxDelayMs)),
    on: parseOn(path("on"), get("on")),
  });
}
