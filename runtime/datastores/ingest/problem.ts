import { fail, type WorkflowError } from "../../errors.ts";
import type { Format } from "./types.ts";

/** Where something is in an imported file; lines and rows count from 1. */
export interface Place {
  readonly format: Format;
  readonly line?: number;
  /** Number of the record, where a format has no lines. */
  readonly row?: number;
  /** Name of a column, or the character of the line. */
  readonly column?: string | number;
}

/** What is wrong there. */
export interface Complaint {
  /** What was expected instead, as a clause: "expected an integer". */
  readonly problem: string;
  readonly value?: unknown;
  /** Name and value of the limit that was passed. */
  readonly limit?: { readonly name: string; readonly value: number };
  /** More facts for the details. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

const EXCERPT = 80;

/** At most 80 characters of a value, for a message. */
export function excerpt(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, EXCERPT)) : toText(value).slice(0, EXCERPT);
  const length = typeof value === "string" ? value.length : 0;
  return length > EXCERPT ? `${text}… (${length} characters)` : text;
}

function toText(value: unknown): string {
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  try {
    return JSON.stringify(value) ?? "nothing";
  } catch {
    return typeof value;
  }
}

/** The error (INVALID_REQUEST) that names format, line or row, column, what was expected and a short excerpt. */
export function badInput(place: Place, { problem, value, limit, facts }: Complaint): WorkflowError {
  const at = [
    place.line === undefined ? "" : `, line ${place.line}`,
    place.row === undefined ? "" : `, row ${place.row}`,
    place.column === undefined
      ? ""
      : `, column ${typeof place.column === "number" ? place.column : JSON.stringify(place.column.slice(0, EXCERPT))}`,
  ].join("");
  const got = value === undefined ? "" : `, got ${excerpt(value)}`;
  const over = limit === undefined ? "" : ` (${limit.name}: ${limit.value})`;
  const details = {
    message: `${place.format}${at}: ${problem}${got}${over}.`,
    ...place,
    problem,
    ...(value === undefined ? {} : { value: excerpt(value) }),
    ...(limit === undefined ? {} : { limit: limit.name, limitValue: limit.value }),
    ...facts,
  };
  return fail("INVALID_REQUEST", details);
}
