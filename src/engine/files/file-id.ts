import { hash } from "node:crypto";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const FILE = /^file_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/** The UUID of a file written as a UUID or as `file_<32 hex digits>`; null for anything else. */
export function parseFileId(text: string): string | null {
  const lower = text.toLowerCase();
  if (UUID.test(lower)) return lower;
  const match = FILE.exec(lower);
  return match === null ? null : match.slice(1).join("-");
}

/** `file_<32 hex digits>` of a file's UUID. */
export function toFileId(uuid: string): string {
  return `file_${uuid.replaceAll("-", "")}`;
}

/** The UUID of what the op at `pos` of an execution writes: the same for every attempt. */
export function outputIdOf(executionId: string, pos: number): string {
  const hex = hash("sha256", `file:${executionId}:${pos}`, "hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
