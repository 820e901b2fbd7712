import { hash } from "node:crypto";
import { canonical } from "../../cache/canonical.ts";
import { refuse } from "./value.ts";

/** Where the key of a rule is found in a call, for example `["input", "customer_id"]`; null = one key for all calls. */
export type KeyPath = readonly string[] | null;

const MAX_PATH = 200;
const PATH = /^(input|messages|params|metadata)(\.[^.]+)*$|^session_id$/;
/** Length of the text that stands for a key. */
const KEY_CHARS = 22;

/** Parses a dotted path into a call. */
export function parseKeyPath(path: string, value: unknown): KeyPath {
  if (value === undefined) return null;
  const isPath = typeof value === "string" && value.length <= MAX_PATH && PATH.test(value);
  if (isPath) return Object.freeze(value.split("."));
  const rule = `a dotted path of at most ${MAX_PATH} characters that begins with input, messages, params or metadata, or session_id`;
  throw refuse(path, rule, value);
}

/** A text that stands for the value at a path of a call's data; calls without one share a key. */
export function keyOf(path: KeyPath, data: unknown): string {
  let value = path === null ? undefined : data;
  for (const name of path ?? []) {
    const isObject = typeof value === "object" && value !== null && Object.hasOwn(value, name);
    value = isObject ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  // Hashed: a value may be long or private, and is only compared.
  return value === undefined ? "" : hash("sha256", canonical(value), "base64url").slice(0, KEY_CHARS);
}
