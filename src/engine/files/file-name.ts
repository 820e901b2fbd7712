/** Longest name of a file, in UTF-16 units. */
const MAX_NAME = 255;
const NAMELESS = "file";
const UNKNOWN_TYPE = "application/octet-stream";
const TYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,100}(; ?charset=[\w-]{1,40})?$/;

/** Characters that no name needs: controls, and those that change the direction of what follows. */
const isHidden = (code: number) =>
  code < 0x20 ||
  (code >= 0x7f && code < 0xa0) ||
  (code >= 0x2028 && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069);

/** The name a file is shown and downloaded under, whatever was sent: the last part of a path, without control characters, at most 255 long. It is never a path. */
export function fileNameOf(sent: string): string {
  const last = sent.split(/[/\\]/).at(-1) ?? "";
  const visible = [...last.slice(0, 4 * MAX_NAME)].filter((one) => !isHidden(one.codePointAt(0) ?? 0)).join("");
  const cut = visible.toWellFormed().slice(0, MAX_NAME);
  const name = (cut.isWellFormed() ? cut : cut.slice(0, -1)).trim();
  return name === "" || /^\.+$/.test(name) ? NAMELESS : name;
}

/** The content type to remember; what is no plain type counts as unknown. */
export function contentTypeOf(sent: string | null | undefined): string {
  const type = sent?.trim().toLowerCase() ?? "";
  return TYPE.test(type) ? type : UNKNOWN_TYPE;
}
