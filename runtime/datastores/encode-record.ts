import { fail, type WorkflowError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { isNestedOver } from "../worker/nesting.ts";
import { type Cell, type Layout, own } from "./layout.ts";
import { MAX_DEPTH, MAX_ID_BYTES } from "./limits.ts";
import type { RecordInput, VectorField } from "./types.ts";
import { toVectorBytes } from "./vector.ts";

/** A value as SQLite takes it. */
export type SqlValue = string | number | bigint | null;

/** A record ready to be written: values in the order of `Layout.stored`. */
export interface EncodedRecord {
  readonly id: string;
  readonly values: readonly SqlValue[];
  readonly vector: Uint8Array | null;
}

/** Encodes the record with this number (from 1), which errors name. */
export type Encoder = (record: RecordInput, number: number) => EncodedRecord;

/** Where a value came from, for errors. */
interface Place {
  readonly record: number;
  readonly field: string;
}

const shown = (value: unknown): string => {
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value).slice(0, 60);
  return typeof value === "object" && value !== null ? (Array.isArray(value) ? "a list" : "an object") : text;
};

function refuse(place: Place, message: string, details: Readonly<Record<string, unknown>> = {}): WorkflowError {
  const { record, field } = place;
  return fail("INVALID_REQUEST", {
    message: `record ${record}: ${field}: ${message}`,
    record,
    field,
    ...details,
  });
}

function toText(value: unknown, place: Place): string {
  if (typeof value !== "string") throw refuse(place, `must be text, got ${shown(value)}`);
  if (!value.isWellFormed())
    throw refuse(place, "has half of a surrogate pair, which is not text", { value: shown(value) });
  return value;
}

function toInteger(value: unknown, place: Place): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number)) return number;
  const tooLarge = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  const why = tooLarge
    ? `${String(value)} is beyond ±9007199254740991; keep such numbers as text`
    : `must be a whole number, got ${shown(value)}`;
  throw refuse(place, why, { limit: "maxSafeInteger", value: String(value).slice(0, 60) });
}

function toReal(value: unknown, place: Place): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw refuse(place, `must be a finite number, got ${shown(value)}`, { value: shown(value) });
}

function toBoolean(value: unknown, place: Place): number {
  if (typeof value !== "boolean")
    throw refuse(place, `must be true or false, got ${shown(value)}`, { value: shown(value) });
  return value ? 1 : 0;
}

function toJson(value: unknown, place: Place): string {
  const tooDeep = () => refuse(place, `nested over ${MAX_DEPTH} levels deep`, { limit: "maxDepth", value: MAX_DEPTH });
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep();
    throw refuse(place, "cannot be written as JSON");
  }
  if (json === undefined) throw refuse(place, `cannot be written as JSON: ${typeof value}`);
  if (isNestedOver(json, MAX_DEPTH)) throw tooDeep();
  return json;
}

const CONVERTERS = { text: toText, integer: toInteger, real: toReal, boolean: toBoolean, json: toJson } as const;

function toValue(cell: Cell, value: unknown, record: number): SqlValue {
  const place = { record, field: cell.name };
  if (value !== undefined && value !== null) return CONVERTERS[cell.type](value, place);
  if (!cell.nullable) throw refuse(place, "is missing, and the schema says that it is not nullable");
  return null;
}

/** The id: in the data where the schema says so, else beside it, else (where `numbered`) the record's number. */
function toId(record: RecordInput, number: number, { schema, byName }: Layout, numbered: boolean): string {
  const { idField } = schema;
  const place = { record: number, field: idField ?? "id" };
  const given = idField === null ? (record.id ?? (numbered ? number : undefined)) : member(record.data, idField);
  if (given === undefined || given === null) throw refuse(place, "is missing: every record needs its id");
  // The column of a text id is the id itself, so nothing else looks at what it is.
  const asText = idField !== null && byName.get(idField)?.type === "text";
  const id = typeof given === "number" && !asText ? String(toInteger(given, place)) : toText(given, place);
  const bytes = Buffer.byteLength(id);
  if (bytes === 0) throw refuse(place, "is empty: every record needs its id");
  if (bytes > MAX_ID_BYTES)
    throw refuse(place, `${bytes} bytes; the limit maxIdBytes is ${MAX_ID_BYTES}`, {
      limit: "maxIdBytes",
      value: bytes,
    });
  return id;
}

const member = (data: RecordInput["data"], name: string): unknown =>
  Object.hasOwn(data, name) ? data[name] : undefined;

const bytesOf = (values: readonly SqlValue[]): number =>
  values.reduce<number>((sum, value) => sum + (typeof value === "string" ? Buffer.byteLength(value) : 8), 0);

/** What an encoder needs to know. */
export interface EncoderOptions {
  readonly limits: Pick<Limits, "maxRecordBytes">;
  /** Whether a record without an id gets its number as its id. */
  readonly numbered: boolean;
}

/** Checks and converts records of a schema; throws INVALID_REQUEST naming record, field, limit and value. */
export function createEncoder(layout: Layout, { limits, numbered }: EncoderOptions): Encoder {
  const { schema, cells, byName } = layout;
  const stored = own(cells);
  const known = new Set([...byName.keys(), ...(schema.vector === null ? [] : [schema.vector.field])]);
  return (record, number) => {
    const unknown = Object.keys(record.data).find((name) => !known.has(name));
    if (unknown !== undefined) throw refuse({ record: number, field: unknown }, "is not a field of the schema");
    const id = toId(record, number, layout, numbered);
    const values = [id, ...stored.map((cell) => toValue(cell, member(record.data, cell.name), number))];
    checkSize(values, number, limits.maxRecordBytes);
    return { id, values, vector: toVector(record, number, schema.vector) };
  };
}

function checkSize(values: readonly SqlValue[], record: number, max: number): void {
  const bytes = bytesOf(values);
  if (bytes <= max) return;
  const message = `record ${record}: ${bytes} bytes; the limit maxRecordBytes is ${max}`;
  throw fail("INVALID_REQUEST", { message, record, limit: "maxRecordBytes", value: bytes });
}

function toVector(record: RecordInput, number: number, vector: VectorField | null): Uint8Array | null {
  if (vector === null) return null;
  const numbers = record.vector ?? member(record.data, vector.field);
  if (numbers === undefined || numbers === null) return null;
  const place = { record: number, field: vector.field };
  return toVectorBytes(numbers, vector.dimensions, (message, details) => refuse(place, message, { ...details }));
}
