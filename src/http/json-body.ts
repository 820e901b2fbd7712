import { fail } from "../../runtime/index.ts";

/** Deepest nesting of a JSON body: deeper values cannot be written as JSON again. */
export const MAX_DEPTH = 500;

/** True when a value is nested over {@link MAX_DEPTH} levels; they are looked at level by level. */
export function isTooDeep(value: unknown): boolean {
  let level: object[] = typeof value === "object" && value !== null ? [value] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MAX_DEPTH) return true;
    const next: object[] = [];
    for (const one of level) {
      for (const member of Object.values(one)) if (typeof member === "object" && member !== null) next.push(member);
    }
    level = next;
  }
  return false;
}

/** The value of a JSON body; undefined for an empty one. Throws INVALID_REQUEST with code `invalid_json`. */
export function parseJsonBody(text: string): unknown {
  if (text === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw fail("INVALID_REQUEST", { message: `The body is not valid JSON: ${reason}`, code: "invalid_json" }, cause);
  }
  // A level takes two characters at least.
  if (text.length > 2 * MAX_DEPTH && isTooDeep(value)) {
    throw fail("INVALID_REQUEST", {
      message: `The body is nested over ${MAX_DEPTH} levels deep.`,
      code: "invalid_json",
    });
  }
  return value;
}
