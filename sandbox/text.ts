import { installLazy, once } from "./lazy.ts";
import {
  bytesOf,
  charCodeAt,
  fromCharCode,
  isView,
  join,
  lengthOf,
  listHas,
  NativeRangeError,
  NativeTypeError,
  NativeUint8Array,
  push,
  setBytes,
  slice,
  subarray,
  text,
  toLowerCase,
  trim,
} from "./primordials.ts";

const PIECE = 8_192;

function encodedLength(value: string): number {
  let bytes = 0;
  for (let i = 0; i < value.length; i++) {
    const unit = charCodeAt(value, i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (
      unit >= 0xd800 &&
      unit < 0xdc00 &&
      i + 1 < value.length &&
      (charCodeAt(value, i + 1) & 0xfc00) === 0xdc00
    ) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}

function codePoint(value: string, at: number): number {
  const unit = charCodeAt(value, at);
  if ((unit & 0xf800) !== 0xd800) return unit;
  const next = at + 1 < value.length ? charCodeAt(value, at + 1) : 0;
  if (unit < 0xdc00 && (next & 0xfc00) === 0xdc00) return 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
  return 0xfffd;
}

function writePoint(out: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    out[at] = point;
    return at + 1;
  }
  const size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  out[at] = (size === 2 ? 0xc0 : size === 3 ? 0xe0 : 0xf0) | (point >> (6 * (size - 1)));
  for (let i = 1; i < size; i++) out[at + i] = 0x80 | ((point >> (6 * (size - 1 - i))) & 0x3f);
  return at + size;
}

/** UTF-8 bytes of a string; lone surrogates become U+FFFD. */
export function encodeUtf8(value: string): Uint8Array {
  const out = new NativeUint8Array(encodedLength(value));
  let at = 0;
  for (let i = 0; i < value.length; i++) {
    const point = codePoint(value, i);
    if (point > 0xffff) i++;
    at = writePoint(out, at, point);
  }
  return out;
}

interface Decoded {
  /** U+FFFD for what is no character; the bytes of a real U+FFFD are `valid`. */
  readonly point: number;
  readonly valid: boolean;
  readonly size: number;
  /** The sequence may go on after the end of the bytes. */
  readonly open: boolean;
}

const bad = (size: number, open: boolean): Decoded => ({ point: 0xfffd, valid: false, size, open });

function sequenceSize(lead: number): number {
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

function secondAllowed(lead: number, second: number): boolean {
  if (lead === 0xe0) return second >= 0xa0 && second < 0xc0;
  if (lead === 0xed) return second >= 0x80 && second < 0xa0;
  if (lead === 0xf0) return second >= 0x90 && second < 0xc0;
  if (lead === 0xf4) return second >= 0x80 && second < 0x90;
  return (second & 0xc0) === 0x80;
}

function decodeAt(bytes: Uint8Array, at: number): Decoded {
  const lead = bytes[at] as number;
  if (lead < 0x80) return { point: lead, valid: true, size: 1, open: false };
  const size = sequenceSize(lead);
  if (size === 0) return bad(1, false);
  let point = lead & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) {
    if (at + i >= lengthOf(bytes)) return bad(i, true);
    const byte = bytes[at + i] as number;
    if (i === 1 ? !secondAllowed(lead, byte) : (byte & 0xc0) !== 0x80) return bad(i, false);
    point = (point << 6) | (byte & 0x3f);
  }
  return { point, valid: true, size, open: false };
}

function pointText(point: number): string {
  if (point < 0x10000) return fromCharCode(point);
  return fromCharCode(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
}

/** Text of UTF-8 bytes, and how many trailing bytes wait for more (only when `stream`). */
export function decodeUtf8(
  bytes: Uint8Array,
  options: { fatal: boolean; stream: boolean },
): { text: string; rest: number } {
  const parts: string[] = [];
  let piece = "";
  const length = lengthOf(bytes);
  let at = 0;
  while (at < length) {
    const { point, valid, size, open } = decodeAt(bytes, at);
    if (open && options.stream) return { text: join(parts, "") + piece, rest: length - at };
    if (!valid && options.fatal) throw new NativeTypeError("The encoded data was not valid utf-8");
    piece += pointText(point);
    if (piece.length >= PIECE) {
      push(parts, piece);
      piece = "";
    }
    at += size;
  }
  return { text: join(parts, "") + piece, rest: 0 };
}

function toBytes(input: unknown): Uint8Array {
  if (input === undefined) return new NativeUint8Array(0);
  if (isView(input)) return bytesOf(input);
  return new NativeUint8Array(input as ArrayBuffer);
}

function writeInto(source: string, target: Uint8Array): { read: number; written: number } {
  const room = lengthOf(target);
  let written = 0;
  let read = 0;
  while (read < source.length) {
    const point = codePoint(source, read);
    const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (written + size > room) break;
    written = writePoint(target, written, point);
    read += point > 0xffff ? 2 : 1;
  }
  return { read, written };
}

const textEncoder = once(
  () =>
    class TextEncoder {
      get encoding(): string {
        return "utf-8";
      }
      encode(input: unknown = ""): Uint8Array {
        return encodeUtf8(text(input));
      }
      encodeInto(source: string, target: Uint8Array): { read: number; written: number } {
        return writeInto(source, target);
      }
    },
);

const UTF8_LABELS = ["utf-8", "utf8", "unicode-1-1-utf-8"];

const textDecoder = once(
  () =>
    class TextDecoder {
      readonly encoding = "utf-8";
      readonly fatal: boolean;
      readonly ignoreBOM: boolean;
      #rest = new NativeUint8Array(0);
      #started = false;
      constructor(label: unknown = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
        if (!listHas(UTF8_LABELS, trim(toLowerCase(text(label))))) {
          throw new NativeRangeError(
            `TextDecoder: the encoding "${text(label)}" is not available in workflows; only utf-8 is`,
          );
        }
        this.fatal = options.fatal === true;
        this.ignoreBOM = options.ignoreBOM === true;
      }
      decode(input?: unknown, options: { stream?: boolean } = {}): string {
        const stream = options.stream === true;
        let bytes = toBytes(input);
        const left = lengthOf(this.#rest);
        if (left > 0) {
          const joined = new NativeUint8Array(left + lengthOf(bytes));
          setBytes(joined, this.#rest);
          setBytes(joined, bytes, left);
          bytes = joined;
        }
        const decoded = decodeUtf8(bytes, { fatal: this.fatal, stream });
        this.#rest = new NativeUint8Array(subarray(bytes, lengthOf(bytes) - decoded.rest));
        let out = decoded.text;
        if (!this.#started && !this.ignoreBOM && charCodeAt(out, 0) === 0xfeff) out = slice(out, 1);
        this.#started = stream && (this.#started || out.length > 0);
        return out;
      }
    },
);

/** Installs TextEncoder and TextDecoder. */
export function installText(global: object): void {
  installLazy(global, "TextEncoder", textEncoder);
  installLazy(global, "TextDecoder", textDecoder);
}
