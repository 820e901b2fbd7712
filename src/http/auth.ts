import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { fail } from "../../runtime/index.ts";
import type { Account } from "../engine/types.ts";

/** Finds the account of a key by the hex SHA-256 of the key. */
export type AccountOfKey = (hash: string) => Account | null;

const HEADERS = ["x-api-key", "x-maitai-api-key", "apikey"] as const;

/** The API key of a request: `Authorization: Bearer`, `x-api-key`, `X-Maitai-Api-Key` or `apikey`; null when none was sent. */
export function keyOf(headers: IncomingHttpHeaders): string | null {
  const bearer = /^bearer +(\S+)$/i.exec(headers.authorization ?? "");
  if (bearer?.[1] !== undefined) return bearer[1];
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return null;
}

/** The caller's account; throws UNAUTHENTICATED. Keys are compared by their hash, so timing says nothing about them. */
export function authenticate(headers: IncomingHttpHeaders, accountOfKey: AccountOfKey): Account {
  const key = keyOf(headers);
  const account = key === null ? null : accountOfKey(hash("sha256", key, "hex"));
  if (account === null) throw fail("UNAUTHENTICATED");
  return account;
}
