import { fail } from "../runtime/index.ts";

/** One setting: the row of the help and of the README, and its parser. */
export interface Setting<T> {
  /** Environment variable. */
  readonly name: string;
  /** What applies when it is unset, as a person would type it; empty = nothing. */
  readonly fallback: string;
  /** Unit of the value; empty when it has none. */
  readonly unit: string;
  /** One sentence: what it is for. */
  readonly sentence: string;
  /** Parses the text of the variable, or `fallback`; throws INVALID_REQUEST naming variable, rule and value. */
  readonly parse: (text: string) => T;
}

type Facts = Pick<Setting<unknown>, "name" | "sentence"> & { readonly fallback?: string; readonly unit?: string };

/** Makes the error of a setting that cannot be used; `rule` says what was expected. */
export const refuse = (name: string, rule: string, value: string) =>
  fail("INVALID_REQUEST", { message: `${name}: must be ${rule}, got ${JSON.stringify(value)}`, setting: name, value });

const define = <T>(facts: Facts, parse: (text: string) => T): Setting<T> => ({
  fallback: "",
  unit: "",
  ...facts,
  parse,
});

/** A whole number within a range. */
export function wholeNumber(facts: Facts, min: number, max = Number.MAX_SAFE_INTEGER): Setting<number> {
  return define(facts, (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw refuse(facts.name, `a whole number from ${min} to ${max}`, text);
  });
}

/** A whole number within a range; empty means null. */
export function optionalWholeNumber(facts: Facts, min: number, max = Number.MAX_SAFE_INTEGER): Setting<number | null> {
  const { parse } = wholeNumber(facts, min, max);
  return define(facts, (value) => (value === "" ? null : parse(value)));
}

/** A free text; empty means null. */
export const text = (facts: Facts): Setting<string | null> => define(facts, (value) => (value === "" ? null : value));

/** A text that must not be empty. */
export function requiredText(facts: Facts & { readonly fallback: string }): Setting<string> {
  return define(facts, (value) => {
    if (value.trim() !== "") return value;
    throw refuse(facts.name, "a text that is not empty", value);
  });
}

/** One word of a list; the first is the default. */
export function oneOf<const W extends readonly [string, ...string[]]>(facts: Facts, words: W): Setting<W[number]> {
  return define({ ...facts, fallback: words[0] }, (value) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw refuse(facts.name, `one of ${words.join(", ")}`, value);
  });
}

/** A list separated by commas; every part must match `form`. */
export function list(facts: Facts, form: RegExp, rule: string): Setting<readonly string[]> {
  return define(facts, (value) => {
    const parts = value.split(",").map((part) => part.trim());
    const kept = parts.filter((part) => part !== "");
    const wrong = kept.find((part) => !form.test(part));
    if (wrong !== undefined) throw refuse(facts.name, rule, wrong);
    return Object.freeze(kept);
  });
}
