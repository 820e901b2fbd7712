import { nodeError } from "./failure.ts";

/** A node's value as JSON has it, and its text: whoever reads it later sees what the run's readers see. */
export function plain(value: unknown): { readonly json: string; readonly value: unknown } {
  let json: string | undefined;
  try {
    json = JSON.stringify(value === undefined ? null : value);
  } catch (cause) {
    throw nodeError("OUTPUT_NOT_SERIALIZABLE", `its value cannot be written as JSON: ${reason(cause)}`);
  }
  if (json === undefined)
    throw nodeError("OUTPUT_NOT_SERIALIZABLE", `its value cannot be written as JSON: a ${typeof value}`);
  return { json, value: JSON.parse(json) };
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : "unknown reason");
