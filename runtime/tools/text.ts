const SHOWN_CHARS = 500;

/** The beginning of a text that a server wrote, on one line. */
export function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a server's text must not move a terminal's cursor.
  const line = text.slice(0, SHOWN_CHARS).replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
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
