const SHOWN_CHARS = 500;

/** The beginning of a text that a server wrote, on one line. */
export function quoted(text: string): string {
  // A server's text must neither move a terminal's cursor nor turn the direction of writing.
  const line = text.slice(0, SHOWN_CHARS).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ");
  return text.length > SHOWN_CHARS ? `${line}…` : line;
}

/** The beginning of a text, at most `maxBytes` bytes of UTF-8; what was left out is said at its end. */
export function cutText(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.byteLength <= maxBytes) return text.toWellFormed();
  // A character that was cut in two becomes a replacement character at the very end.
  const start = bytes
    .subarray(0, maxBytes)
    .toString("utf8")
    .replace(/\uFFFD$/, "");
  return `${start}\n[cut: ${bytes.byteLength} bytes, of which ${maxBytes} are shown (maxToolTextBytes)]`;
}
