import { fail, type WorkflowError } from "../errors.ts";

/** Makes the error of an argument that a reader cannot use. */
export function badArgument(message: string, details: Readonly<Record<string, unknown>> = {}): WorkflowError {
  return fail("INVALID_ARGUMENT", { message: `datastore: ${message}`, ...details });
}

/** Makes the error of an argument over its limit; without `value` where nobody knows how far. */
export function overLimit(what: string, limit: string, max: number, value?: number): WorkflowError {
  const message = `datastore: ${what}: ${value === undefined ? "" : `${value} is `}over the limit ${limit} of ${max}`;
  return fail("LIMIT_EXCEEDED", { message, limit, max, ...(value === undefined ? {} : { value }) });
}

/** A value as an error shows it: never long. */
export function shown(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** True for `{…}`. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A whole number within a range; `fallback` where it is left out. */
export function wholeNumber(
  value: unknown,
  name: string,
  [min, max]: readonly [number, number],
  fallback: number,
): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min)
    throw badArgument(`${name} must be a whole number from ${min} to ${max}, got ${shown(value)}`, { field: name });
  if (value > max) throw overLimit(name, name, max, value);
  return value;
}
