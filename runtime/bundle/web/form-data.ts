import { Blob, blobBytes, concatBytes, File } from "./blob.ts";

/** One value of a form. */
export type FormValue = string | File;

/** The fields of a form, in order, names repeated as often as they were appended. */
export class FormData {
  #entries: (readonly [string, FormValue])[] = [];

  append(name: string, value: string | Blob, filename?: string): void {
    this.#entries.push(toEntry(name, value, filename));
  }
  set(name: string, value: string | Blob, filename?: string): void {
    const entry = toEntry(name, value, filename);
    const at = this.#entries.findIndex(([key]) => key === entry[0]);
    const others = this.#entries.filter(([key], i) => key !== entry[0] || i === at);
    this.#entries = at < 0 ? [...others, entry] : others.map((old, i) => (i === at ? entry : old));
  }
  delete(name: string): void {
    this.#entries = this.#entries.filter(([key]) => key !== String(name));
  }
  get(name: string): FormValue | null {
    return this.#entries.find(([key]) => key === String(name))?.[1] ?? null;
  }
  getAll(name: string): FormValue[] {
    return this.#entries.filter(([key]) => key === String(name)).map(([, value]) => value);
  }
  has(name: string): boolean {
    return this.#entries.some(([key]) => key === String(name));
  }
  forEach(callback: (value: FormValue, name: string, form: FormData) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }
  *entries(): Generator<[string, FormValue], undefined> {
    for (const [name, value] of this.#entries) yield [name, value];
    return undefined;
  }
  *keys(): Generator<string, undefined> {
    for (const [name] of this.#entries) yield name;
    return undefined;
  }
  *values(): Generator<FormValue, undefined> {
    for (const [, value] of this.#entries) yield value;
    return undefined;
  }
  [Symbol.iterator](): Generator<[string, FormValue], undefined> {
    return this.entries();
  }
  get [Symbol.toStringTag](): string {
    return "FormData";
  }
}

function toEntry(name: string, value: string | Blob, filename: string | undefined): readonly [string, FormValue] {
  if (!(value instanceof Blob)) return [String(name), String(value)];
  if (value instanceof File && filename === undefined) return [String(name), value];
  const from = value instanceof File ? value.name : "blob";
  return [String(name), new File([value], filename ?? from, { type: value.type })];
}

const escapeName = (name: string) => name.replace(/\r\n|\r|\n/g, "%0D%0A").replace(/"/g, "%22");

/** A form as multipart/form-data: the bytes and their content type. The boundary is the same for the same form. */
export function encodeForm(form: FormData): { bytes: Uint8Array<ArrayBuffer>; type: string } {
  const encoder = new TextEncoder();
  const texts = [...form].map(([, value]) =>
    typeof value === "string" ? value : new TextDecoder().decode(blobBytes(value)),
  );
  let boundary = "weft-form-boundary";
  while (texts.some((text) => text.includes(boundary))) boundary += "-x";
  const pieces: Uint8Array[] = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`;
    if (typeof value === "string") {
      pieces.push(encoder.encode(`${head}\r\n\r\n${value.replace(/\r\n|\r|\n/g, "\r\n")}\r\n`));
      continue;
    }
    const type = value.type === "" ? "application/octet-stream" : value.type;
    pieces.push(encoder.encode(`${head}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`));
    pieces.push(blobBytes(value), encoder.encode("\r\n"));
  }
  pieces.push(encoder.encode(`--${boundary}--\r\n`));
  return { bytes: concatBytes(pieces), type: `multipart/form-data; boundary=${boundary}` };
}

const toLatin1 = (bytes: Uint8Array) => {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 8192) parts.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
  return parts.join("");
};
const fromLatin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const utf8 = (latin1: string) => new TextDecoder().decode(fromLatin1(latin1));

/** Reads a multipart/form-data body; throws a TypeError when it is not one. */
export function decodeForm(bytes: Uint8Array, contentType: string): FormData {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new TypeError("the content type names no boundary");
  const parts = `\r\n${toLatin1(bytes)}`.split(`\r\n--${boundary}`).slice(1, -1);
  const form = new FormData();
  for (const part of parts) {
    const split = part.indexOf("\r\n\r\n");
    const head = utf8(part.slice(0, split));
    const name = /[; ]name="([^"]*)"/i.exec(head)?.[1];
    if (split < 0 || name === undefined) throw new TypeError("the body is not valid multipart/form-data");
    const filename = /filename="([^"]*)"/i.exec(head)?.[1];
    const type = /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim() ?? "";
    const body = part.slice(split + 4);
    if (filename === undefined) form.append(name, utf8(body));
    else form.append(name, new File([fromLatin1(body)], filename, { type }));
  }
  return form;
}
