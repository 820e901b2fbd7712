import { cutText } from "./cut-text.ts";

/** Bytes of one piece that is read; the guest asks for the next one in a turn of its own. */
export const PIECE_BYTES = 1024 * 1024;

/** How bytes travel: as the text they are, or as base64. */
export type Encoding = "text" | "base64";

/** A piece on its way to the guest. */
interface Piece {
  readonly bytes: Uint8Array;
  /** Where it begins, and the size of all of it. */
  readonly offset: number;
  readonly total: number;
  readonly as: Encoding;
}

/** JSON text of a piece, of where the next one begins (null after the last) and of the size of all; characters of a text stay whole. */
export function toPart({ bytes, offset, total, as }: Piece): string {
  const isLast = offset + bytes.byteLength >= total;
  const whole = as === "text" && !isLast ? cutText(bytes) : bytes;
  const end = offset + whole.byteLength;
  const data = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString(as === "text" ? "utf8" : as);
  return JSON.stringify({ data, next: end < total ? end : null, bytes: total });
}
