import { MAX_DEPTH } from "../../../limits.ts";
import { badInput, type Place } from "../../problem.ts";
import { findFault } from "./fault.ts";

interface Found {
  unsafe: boolean;
  deep: boolean;
}

const isUnsafe = (value: number) => Number.isInteger(value) && !Number.isSafeInteger(value);

function look(value: unknown, depth: number, found: Found): void {
  if (typeof value === "number") {
    if (isUnsafe(value)) found.unsafe = true;
  } else if (typeof value === "object" && value !== null) {
    if (depth > MAX_DEPTH) found.deep = true;
    else for (const member of Object.values(value)) look(member, depth + 1, found);
  }
}

const INTEGER = /^-?\d+$/;

/** Integers that a number cannot hold stay as the text they are. */
function keepIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" && isUnsafe(value) && source !== undefined && INTEGER.test(source) ? source : value;
}

/**
 * Parses one record of JSON; integers beyond ±(2^53-1) become text. `placeAt` gives the place of a character of the text.
 * Throws where it is no JSON, no object, or nested over 500 levels.
 */
export function parseObject(text: string, placeAt: (index: number) => Place): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notJson(text, placeAt);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badInput(placeAt(0), { problem: "expected an object", value: text.slice(0, 200) });
  }
  const found: Found = { unsafe: false, deep: false };
  look(value, 1, found);
  if (found.deep) {
    const limit = { name: "maxDepth", value: MAX_DEPTH };
    throw badInput(placeAt(0), { problem: "the record is nested too deeply", limit });
  }
  return found.unsafe ? (JSON.parse(text, keepIntegers) as object) : value;
}

function notJson(text: string, placeAt: (index: number) => Place): Error {
  const at = findFault(text);
  const problem = at >= text.length ? "expected JSON, it ends too early" : "expected JSON, found something else";
  return badInput(placeAt(at), { problem, ...(at < text.length ? { value: text.slice(at, at + 200) } : {}) });
}
