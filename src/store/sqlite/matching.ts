import { isDeepStrictEqual } from "node:util";

/** The value at a dotted path; undefined when there is none. */
export function valueAt(data: unknown, path: string): unknown {
  let value = data;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}

/** True when `data` has at each dotted path of `match` (JSON text; null = none) exactly the value that it names there. */
export function matches(match: string | null, data: unknown): boolean {
  if (match === null) return true;
  const wanted = Object.entries(JSON.parse(match) as Readonly<Record<string, unknown>>);
  return wanted.every(([path, value]) => isDeepStrictEqual(valueAt(data, path), value));
}
