import { bare, truthy } from "./text.ts";

type Scalar = string | number | boolean | null;

/** Numbers and booleans that are written as texts are meant as such. */
function coerced(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const trimmed = value.trim();
  if (trimmed !== "" && Number.isFinite(Number(trimmed))) return Number(trimmed);
  const lower = trimmed.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : value;
}

/** Brings two values of different types together: a text that is a number meets a number. */
function meet(a: unknown, b: unknown): readonly [unknown, unknown] {
  if (typeof a === typeof b || a === null || b === null) return [a, b];
  return [coerced(a), coerced(b)];
}

const json = (value: unknown) => JSON.stringify(value);

function same(a: unknown, b: unknown): boolean {
  if (typeof a === "object" && typeof b === "object" && a !== null && b !== null) return json(a) === json(b);
  return a === b;
}

function order(a: unknown, b: unknown): number {
  const isOrdered = typeof a === typeof b && (typeof a === "number" || typeof a === "string");
  if (!isOrdered) return Number.NaN;
  return (a as Scalar as number) < (b as Scalar as number) ? -1 : a === b ? 0 : 1;
}

const number = (value: unknown): number => {
  const found = coerced(value);
  return typeof found === "boolean" ? Number(found) : typeof found === "number" ? found : Number.NaN;
};

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** The operators of expressions. `bring`: how two values are brought together before they are compared. */
function operators(bring: (a: unknown, b: unknown) => readonly [unknown, unknown]) {
  const compare = (a: unknown, b: unknown) => order(...bring(bare(a) ?? null, bare(b) ?? null));
  const eq = (a: unknown, b: unknown) => same(...bring(bare(a) ?? null, bare(b) ?? null));
  return {
    eq,
    ne: (a: unknown, b: unknown) => !eq(a, b),
    lt: (a: unknown, b: unknown) => compare(a, b) < 0,
    le: (a: unknown, b: unknown) => compare(a, b) <= 0,
    gt: (a: unknown, b: unknown) => compare(a, b) > 0,
    ge: (a: unknown, b: unknown) => compare(a, b) >= 0,
    /** `a in b`: an element of a list, a part of a text, a member of an object. */
    within: (a: unknown, whole: unknown): boolean => {
      const b = bare(whole);
      if (Array.isArray(b)) return b.some((one) => eq(a, one));
      if (typeof b === "string") return b.includes(String(bare(a) ?? ""));
      return typeof b === "object" && b !== null && Object.hasOwn(b, String(a));
    },
  };
}

const plainly = operators(meet);
/** The operators of graphs that read texts as numbers wherever they look like some. */
export const loose = Object.freeze(operators((a, b) => [coerced(a), coerced(b)]));
export const { eq, ne, lt, le, gt, ge, within } = plainly;
/** `===`: no type meets another. */
export const is = (a: unknown, b: unknown): boolean => same(a ?? null, b ?? null);

/** Adds numbers, or joins texts. */
export function add(a: unknown, b: unknown): unknown {
  const isText = typeof a === "string" || typeof b === "string";
  if (!isText) return finite(number(a ?? 0) + number(b ?? 0));
  return `${a ?? ""}${b ?? ""}`;
}
export const sub = (a: unknown, b: unknown): number | null => finite(number(a) - number(b));
export const mul = (a: unknown, b: unknown): number | null => finite(number(a) * number(b));
export const div = (a: unknown, b: unknown): number | null => finite(number(a) / number(b));
export const mod = (a: unknown, b: unknown): number | null => finite(number(a) % number(b));
export const neg = (a: unknown): number | null => finite(-number(a));
export const not = (a: unknown): boolean => !truthy(a);
/** The first that is not true, or the last; as JavaScript has it, but for empty lists. */
export const both = (a: unknown, b: () => unknown): unknown => (truthy(a) ? b() : a);
/** The first that is true, or the last. */
export const either = (a: unknown, b: () => unknown): unknown => (truthy(a) ? a : b());

/** A test that is false where it cannot be made. */
export function safely(test: () => unknown): boolean {
  try {
    return truthy(test());
  } catch {
    return false;
  }
}
