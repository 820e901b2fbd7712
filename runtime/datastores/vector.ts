import type { WorkflowError } from "../errors.ts";

/** Makes the error of a vector that cannot be used. */
type Complain = (message: string, details: { readonly limit: string; readonly value: unknown }) => WorkflowError;

const isNumbers = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array;

/** A vector as sqlite-vec takes it: 32-bit floats; what `complain` makes is thrown when it is none of that many numbers. */
export function toVectorBytes(value: unknown, dimensions: number, complain: Complain): Uint8Array {
  if (!isNumbers(value))
    throw complain(`must be a list of ${dimensions} numbers`, { limit: "dimensions", value: typeof value });
  if (value.length !== dimensions)
    throw complain(`${value.length} numbers; the vectors of this datastore have ${dimensions}`, {
      limit: "dimensions",
      value: value.length,
    });
  const floats = new Float32Array(dimensions);
  for (let at = 0; at < dimensions; at++) {
    const number = value[at];
    floats[at] = typeof number === "number" ? number : Number.NaN;
    if (!Number.isFinite(floats[at]))
      throw complain(`number ${at + 1} must be a finite 32-bit number, got ${String(number).slice(0, 40)}`, {
        limit: "float32",
        value: String(number).slice(0, 40),
      });
  }
  return new Uint8Array(floats.buffer);
}
