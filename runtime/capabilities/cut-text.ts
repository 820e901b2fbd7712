/** Bytes of the longest character of UTF-8. */
const LONGEST = 4;

/** How many bytes the character beginning with `lead` has. */
function lengthOf(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** UTF-8 text without the character at its end that is not whole; text that is no UTF-8 stays as it is. */
export function cutText(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(LONGEST, bytes.byteLength - 1); back++) {
    const at = bytes.byteLength - back;
    const byte = bytes[at] ?? 0;
    if (byte >= 0x80 && byte < 0xc0) continue;
    return lengthOf(byte) > back ? bytes.subarray(0, at) : bytes;
  }
  return bytes;
}
