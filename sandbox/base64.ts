import { install } from "./determinism.ts";
import { domException } from "./events.ts";
import { once } from "./lazy.ts";
import { charCodeAt, fromCharCode, join, NativeUint8Array, push, text } from "./primordials.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** Six bits by character code, 255 for a character outside the alphabet. */
const valuesOf = once(() => {
  const values = { table: new NativeUint8Array(128).fill(255) };
  for (let i = 0; i < 64; i++) values.table[charCodeAt(ALPHABET, i)] = i;
  return () => values.table;
});

/** Standard base64 of bytes. */
export function bytesToBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  let piece = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word =
      ((bytes[i] as number) << 16) |
      ((left > 1 ? (bytes[i + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[i + 2] as number) : 0);
    piece += (ALPHABET[word >> 18] as string) + (ALPHABET[(word >> 12) & 63] as string);
    piece += left > 1 ? (ALPHABET[(word >> 6) & 63] as string) : "=";
    piece += left > 2 ? (ALPHABET[word & 63] as string) : "=";
    if (piece.length >= 8_192) {
      push(parts, piece);
      piece = "";
    }
  }
  return join(parts, "") + piece;
}

/** Bytes of standard base64 text; null when it is not valid. White space is skipped. */
export function base64ToBytes(value: string): Uint8Array | null {
  const clean = value.replace(/[\t\n\f\r ]+/g, "").replace(/={1,2}$/, "");
  if (clean.length % 4 === 1) return null;
  const table = valuesOf()();
  const out = new NativeUint8Array(Math.floor((clean.length * 3) / 4));
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < clean.length; i++) {
    const code = charCodeAt(clean, i);
    const six = code < 128 ? (table[code] as number) : 255;
    if (six === 255) return null;
    word = (word << 6) | six;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (word >> bits) & 255;
    }
  }
  return out;
}

const binary = {
  btoa(value: unknown): string {
    const input = text(value);
    const bytes = new NativeUint8Array(input.length);
    for (let i = 0; i < input.length; i++) {
      const code = charCodeAt(input, i);
      if (code > 255)
        throw new (domException())("btoa: a character is outside the Latin1 range", "InvalidCharacterError");
      bytes[i] = code;
    }
    return bytesToBase64(bytes);
  },
  atob(value: unknown): string {
    const bytes = base64ToBytes(text(value));
    if (bytes === null) throw new (domException())("atob: the text is not valid base64", "InvalidCharacterError");
    const parts: string[] = [];
    for (let i = 0; i < bytes.length; i++) push(parts, fromCharCode(bytes[i] as number));
    return join(parts, "");
  },
};

/** Installs atob and btoa. */
export function installBase64(global: object): void {
  install(global, "atob", binary.atob);
  install(global, "btoa", binary.btoa);
}
