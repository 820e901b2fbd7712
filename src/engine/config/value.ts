import { fail } from "../../../runtime/index.ts";

/** The members of one object of a script's `config`; each may be written in camelCase or snake_case. */
export interface Members {
  /** Value of a member; undefined when the script does not say it. */
  get(name: string): unknown;
  /** Where a member is, as the script wrote it, for messages. */
  path(name: string): string;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_SHOWN = 80;

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const problem = (path: string, message: string) =>
  fail("BUNDLE_FAILED", { message: `${path}: ${message}`, param: path, problems: [] });

/** Makes the error of a member that cannot be used: BUNDLE_FAILED naming it, the rule and the value. */
export function refuse(path: string, rule: string, value: unknown): Error {
  const shown = JSON.stringify(value) ?? typeof value;
  const short = shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
  return problem(path, `must be ${rule}, got ${short}`);
}

/** Reads an object that may have the `known` members and no others; an absent one has none. */
export function readMembers(path: string, value: unknown, known: readonly string[]): Members {
  const written = new Map<string, string>();
  const object = value === undefined ? {} : value;
  if (typeof object !== "object" || object === null || Array.isArray(object)) throw refuse(path, "an object", value);
  const names = new Set(known.map(camel));
  for (const key of Object.keys(object)) {
    const name = camel(key);
    if (!names.has(name)) throw problem(`${path}.${key}`, `there is no such setting; known: ${known.join(", ")}`);
    if (written.has(name)) throw problem(`${path}.${key}`, `is the same as ${path}.${written.get(name)}; give one`);
    written.set(name, key);
  }
  return {
    get: (name) => {
      const key = written.get(camel(name));
      return key === undefined ? undefined : (object as Readonly<Record<string, unknown>>)[key];
    },
    path: (name) => `${path}.${written.get(camel(name)) ?? name}`,
  };
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

/** One of some words; null when it is absent. */
export function parseWord<const W extends string>(path: string, value: unknown, words: readonly W[]): W | null {
  if (value === undefined) return null;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw refuse(path, `one of ${words.join(", ")}`, value);
}

/** A whole number from `min` to `max`. */
export function parseWhole(path: string, value: unknown, min: number, max: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw refuse(path, `a whole number from ${min} to ${max}`, value);
}
