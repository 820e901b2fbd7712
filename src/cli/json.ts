/** A JSON object read member by member without trusting its shape. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** The value as an object; anything else reads as an empty one. */
export function asRecord(value: unknown): JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonRecord) : {};
}

/** The value as a list of objects; anything else reads as an empty one. */
export function asRecords(value: unknown): readonly JsonRecord[] {
  return Array.isArray(value) ? value.map(asRecord) : [];
}

/** The object that an answer of the API has as its `data`; an empty one where it has none. */
export function dataOf(answer: unknown): JsonRecord {
  return asRecord(asRecord(answer)["data"]);
}

/** The value as text; null when it is neither text nor a number. */
export function asText(value: unknown): string | null {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : null;
}

/** The value as a number, or null. */
export function asNumber(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** The parsed text; undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How a result is shown: a text as it is, everything else as indented JSON. */
export function showValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
