import { isNestedOver } from "../../worker/nesting.ts";
import { MAX_DEPTH } from "../limits.ts";
import type { ColumnType } from "../types.ts";
import { readBoolean, readInteger, readReal } from "./column-kinds.ts";

/** What SQLite is given for a cell. */
export type SqlValue = string | number | null;

/** Says that a value is not of a column's type. */
export const MISFIT = Symbol("misfit");

/** Turns a value that is not null into what is stored. */
export type Convert = (value: unknown) => SqlValue | typeof MISFIT;

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");

const numberOr = (value: number): number | typeof MISFIT => (Number.isNaN(value) ? MISFIT : value);

const LEXICAL: Readonly<Record<ColumnType, (text: string) => SqlValue | typeof MISFIT>> = {
  text: (text) => text,
  integer: (text) => numberOr(readInteger(text)),
  real: (text) => numberOr(readReal(text)),
  boolean: (text) => {
    const value = readBoolean(text);
    if (value !== null) return value ? 1 : 0;
    return text === "1" ? 1 : text === "0" ? 0 : MISFIT;
  },
  json: readJson,
};

function readJson(text: string): string | typeof MISFIT {
  try {
    return isNestedOver(text, MAX_DEPTH) ? MISFIT : writeJson(JSON.parse(text));
  } catch {
    return MISFIT;
  }
}

class NotFinite extends Error {}

function jsonMember(_key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new NotFinite();
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value instanceof Uint8Array ? base64(value) : value;
}

function writeJson(value: unknown): string | typeof MISFIT {
  try {
    return JSON.stringify(value, jsonMember) ?? MISFIT;
  } catch (error) {
    if (error instanceof NotFinite || error instanceof RangeError) return MISFIT;
    throw error;
  }
}

function toText(value: unknown): string | typeof MISFIT {
  if (typeof value === "string") return value.isWellFormed() ? value : MISFIT;
  return value instanceof Uint8Array ? base64(value) : MISFIT;
}

/** Also what is not a text, for a column that turned out to be mixed. */
function toAnyText(value: unknown): string | typeof MISFIT {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : MISFIT;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  return toText(value);
}

function toNumber(value: unknown): number {
  return typeof value === "bigint" ? Number(value) : typeof value === "number" ? value : Number.NaN;
}

const TYPED: Readonly<Record<ColumnType, Convert>> = {
  text: toText,
  integer: (value) => {
    const number = toNumber(value);
    return Number.isSafeInteger(number) ? number : MISFIT;
  },
  real: (value) => {
    const number = toNumber(value);
    return Number.isFinite(number) ? number : MISFIT;
  },
  boolean: (value) => {
    const number = typeof value === "boolean" ? Number(value) : toNumber(value);
    return number === 0 || number === 1 ? number : MISFIT;
  },
  json: writeJson,
};

/** How the values of a column come. */
export interface ColumnSource {
  /** Cells are texts whose type is in what they say. */
  readonly lexical: boolean;
  /** Texts of a json column are JSON. */
  readonly jsonAsText: boolean;
  /** The type was found in the data, so that a text column may have other values as well. */
  readonly inferred: boolean;
}

/** The converter of a column. */
export function converterOf(type: ColumnType, { lexical, jsonAsText, inferred }: ColumnSource): Convert {
  if (lexical) return (value) => (typeof value === "string" ? LEXICAL[type](value) : MISFIT);
  if (type === "text" && inferred) return toAnyText;
  if (type === "json" && jsonAsText && !inferred) {
    return (value) => (typeof value === "string" ? readJson(value) : writeJson(value));
  }
  return TYPED[type];
}

/** What a type expects, for errors. */
export const EXPECTED: Readonly<Record<ColumnType, string>> = {
  text: "expected text",
  integer: "expected an integer within ±9007199254740991",
  real: "expected a finite number",
  boolean: "expected true or false",
  json: "expected JSON, at most 500 levels deep and with finite numbers",
};

/** A vector: a list of numbers, or its JSON text; null when it is none. */
export function readVector(value: unknown): readonly number[] | null {
  const list = typeof value === "string" ? parseList(value) : value;
  if (!Array.isArray(list) && !(list instanceof Float32Array) && !(list instanceof Float64Array)) return null;
  const numbers = Array.from(list as ArrayLike<unknown>, toNumber);
  return numbers.every(Number.isFinite) ? numbers : null;
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
