import { hash, randomBytes, randomUUID } from "node:crypto";

/** Bytes of randomness in a key. */
const KEY_BYTES = 32;
/** Characters of a key that lists may show. */
const SHOWN = 9;

/** A new key: `weft_` and 256 random bits in base64url. */
export function makeKeyText(): string {
  return `weft_${randomBytes(KEY_BYTES).toString("base64url")}`;
}

/** Hex SHA-256 of a key: what is stored and looked up. */
export function hashKey(text: string): string {
  return hash("sha256", text, "hex");
}

/** The beginning of a key by which people recognise it: at most a third of it. */
export function prefixOf(text: string): string {
  return text.slice(0, Math.min(SHOWN, Math.floor(text.length / 3)));
}

/** A new id of a key. */
export function makeKeyId(): string {
  return `key_${randomUUID().replaceAll("-", "")}`;
}
