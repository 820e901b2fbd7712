/** Alone, or as the `output` of an object. */
export type ValueShape = "value" | "output";

/** A value in its shape. */
export const shaped = (shape: ValueShape, value: unknown): unknown =>
  shape === "output" ? { output: value ?? null } : (value ?? null);
