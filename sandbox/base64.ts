import { install } from "./determinism.ts";
import { domException } from "./events.ts";
import {
  charCodeAt,
  fromBase64,
  fromCharCode,
  join,
  lengthOf,
  NativeUint8Array,
  push,
  text,
  toBase64,
} from "./primordials.ts";

/** Standard base64 of bytes. */
export function bytesToBase64(bytes: Uint8Array): string {
  return toBase64(bytes);
}

/** Bytes of standard base64 text, padded or not; null when it is not valid. White space is skipped. */
export function base64ToBytes(value: string): Uint8Array | null {
  try {
    return fromBase64(value);
  } catch {
    return null;
  }
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
    const length = lengthOf(bytes);
    for (let i = 0; i < length; i++) push(parts, fromCharCode(bytes[i] as number));
    return join(parts, "");
  },
};

/** Installs atob and btoa. */
export function installBase64(global: object): void {
  install(global, "atob", binary.atob);
  install(global, "btoa", binary.btoa);
}
