import type { ColumnType } from "../types.ts";

/** What the values of a column are, as bits; 0 = none but null. */
export const KIND = { integer: 1, real: 2, boolean: 4, text: 8, json: 16, big: 32 } as const;

const ZERO = 48;
const NINE = 57;
const MINUS = 45;
/** More digits may be beyond what a number holds. */
const SAFE_DIGITS = 15;

/** A safe integer as it is written, without leading zeros or a plus; NaN otherwise. */
export function readInteger(text: string): number {
  const negative = text.charCodeAt(0) === MINUS;
  const first = negative ? 1 : 0;
  const digits = text.length - first;
  if (digits === 0 || digits > SAFE_DIGITS) return digits === SAFE_DIGITS + 1 ? readLong(text) : Number.NaN;
  if (digits > 1 && text.charCodeAt(first) === ZERO) return Number.NaN;
  let value = 0;
  for (let at = first; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return Number.NaN;
    value = value * 10 + (code - ZERO);
  }
  return negative ? -value : value;
}

function readLong(text: string): number {
  const value = /^-?[1-9]\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

const REAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A finite number as JSON writes it; NaN otherwise. */
export function readReal(text: string): number {
  const plain = readDecimal(text);
  if (!Number.isNaN(plain)) return plain;
  const code = text.charCodeAt(0);
  if (!(code === MINUS || (code >= ZERO && code <= NINE)) || !REAL.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** The common case, digits around a point: of so few, the quotient is the nearest number. NaN: it is another case. */
function readDecimal(text: string): number {
  const point = text.indexOf(".");
  if (point === -1 || point === text.length - 1 || text.length > SAFE_DIGITS + 1) return Number.NaN;
  const whole = readInteger(text.slice(0, point));
  let fraction = 0;
  for (let at = point + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return Number.NaN;
    fraction = fraction * 10 + (code - ZERO);
  }
  const scale = 10 ** (text.length - point - 1);
  const digits = Math.abs(whole) * scale + fraction;
  return text.charCodeAt(0) === MINUS ? -digits / scale : digits / scale;
}

const BOOLEAN = /^(?:true|false)$/i;

/** `true` or `false` in any case; null otherwise. */
export function readBoolean(text: string): boolean | null {
  if (text.length > 5 || text.length < 4 || !BOOLEAN.test(text)) return null;
  return text.length === 4;
}

const DIGITS = /^-?[1-9]\d{15,}$/;

/** Kind of a text whose type is in what it says; the empty one is null. */
function lexicalKind(text: string): number {
  if (text === "") return 0;
  if (!Number.isNaN(readInteger(text))) return KIND.integer;
  if (DIGITS.test(text)) return KIND.big;
  if (!Number.isNaN(readReal(text))) return KIND.real;
  return readBoolean(text) === null ? KIND.text : KIND.boolean;
}

const isSafe = (value: bigint) => value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);

function valueKind(value: unknown): number {
  switch (typeof value) {
    case "string":
      return KIND.text;
    case "number":
      return Number.isSafeInteger(value) ? KIND.integer : KIND.real;
    case "boolean":
      return KIND.boolean;
    case "bigint":
      return isSafe(value) ? KIND.integer : KIND.big;
    default:
      return value === null || value === undefined ? 0 : value instanceof Uint8Array ? KIND.text : KIND.json;
  }
}

/** Kinds of the values of each column of some rows, added to `kinds`. */
export function addKinds(kinds: number[], rows: readonly (readonly unknown[])[], lexical: boolean): void {
  for (const row of rows) {
    for (let at = 0; at < row.length; at++) {
      const seen = kinds[at] ?? 0;
      const cell = row[at];
      // A text column stays one.
      if (lexical && (seen & KIND.text) !== 0) continue;
      kinds[at] = seen | (lexical && typeof cell === "string" ? lexicalKind(cell) : valueKind(cell));
    }
  }
}

const NUMBERS = KIND.integer | KIND.real;

/** The type that holds all values of these kinds, and a clause on what that means for them where it is not plain. */
export function typeOfKinds(kinds: number): { readonly type: ColumnType; readonly remark: string | null } {
  if (kinds === 0) return { type: "text", remark: "has no values; its type is text" };
  if (kinds === KIND.integer) return { type: "integer", remark: null };
  if ((kinds & ~NUMBERS) === 0) return { type: "real", remark: null };
  if (kinds === KIND.boolean) return { type: "boolean", remark: null };
  if (kinds === KIND.text) return { type: "text", remark: null };
  if (kinds === KIND.json) return { type: "json", remark: null };
  if ((kinds & KIND.json) !== 0)
    return { type: "json", remark: "has lists or objects and other values; its type is json" };
  if ((kinds & ~(NUMBERS | KIND.big)) === 0)
    return { type: "text", remark: "has integers beyond ±9007199254740991; it is kept as text" };
  return { type: "text", remark: "has values of several types; it is kept as text" };
}
