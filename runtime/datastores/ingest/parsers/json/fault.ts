import { JSONParser } from "@streamparser/json";

/** Bytes within which the fault is looked for one by one. */
const PART_BYTES = 4_096;

/** True when the parser takes these bytes. */
function takes(parser: JSONParser, bytes: Uint8Array): boolean {
  try {
    parser.write(bytes);
    return true;
  } catch {
    return false;
  }
}

const newParser = (): JSONParser => {
  const parser = new JSONParser({ paths: ["$"], keepStack: false });
  parser.onValue = () => undefined;
  return parser;
};

/** Index of the character at which a text that is no JSON goes wrong: JSON.parse does not always tell. */
export function findFault(text: string): number {
  const bytes = Buffer.from(text);
  const parts = newParser();
  let from = 0;
  while (from < bytes.length && takes(parts, bytes.subarray(from, from + PART_BYTES))) from += PART_BYTES;
  const slow = newParser();
  if (from > 0) takes(slow, bytes.subarray(0, from));
  let at = Math.min(from, bytes.length);
  while (at < bytes.length && takes(slow, bytes.subarray(at, at + 1))) at++;
  return bytes.toString("utf8", 0, at).length;
}
