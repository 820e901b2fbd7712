import { fail, toRecord } from "../errors.ts";
import { closingQuote } from "./secrets.ts";

/** Deepest nesting of a JSON value that leaves a script: deeper ones cannot be written as JSON again, or be passed between threads. */
export const MAX_DEPTH = 500;

/** True when a JSON text is nested over `max` levels. */
export function isNestedOver(json: string, max: number): boolean {
  // A level takes two characters at least.
  if (json.length <= 2 * max) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '"') at = closingQuote(json, at);
    else if (char === "[" || char === "{") depth++;
    else if (char === "]" || char === "}") depth--;
    if (depth > max) return true;
  }
  return false;
}

/** The error (JSON text) of an execution that sent JSON texts of which one is nested too deeply; null when none is. */
export function nestingError(texts: readonly string[]): string | null {
  if (!texts.some((text) => isNestedOver(text, MAX_DEPTH))) return null;
  const message = `The script sent JSON that is nested over ${MAX_DEPTH} levels deep (maxDepth): its output, a chunk, the fields of a log line, or what it gave to ctx.`;
  return JSON.stringify(toRecord(fail("LIMIT_EXCEEDED", { message, limit: "maxDepth", value: MAX_DEPTH })));
}
