import type { IncomingHttpHeaders } from "node:http";
import { fail } from "../../runtime/index.ts";
import { hashKey } from "../engine/accounts/key-text.ts";
import type { Caller } from "../engine/types.ts";

/** Finds the account of a key by the hex SHA-256 of the key; UNAUTHENTICATED for one that is known and not good any more. */
export type AccountOfKey = (hash: string) => Caller | null;

const HEADERS = ["x-api-key", "x-maitai-api-key", "apikey"] as const;

/** Every API key that a request sent: `Authorization: Bearer`, `x-api-key`, `X-Maitai-Api-Key` and `apikey`, in this order. */
export function keysOf(headers: IncomingHttpHeaders): readonly string[] {
  const bearer = /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  const values = [bearer, ...HEADERS.map((name) => headers[name])];
  return values.filter((value): value is string => typeof value === "string" && value !== "");
}

/**
 * The caller's account; throws UNAUTHENTICATED. The first key that is known counts: OpenAI clients always send a Bearer
 * key, if only a placeholder beside the right `x-api-key`. Keys are compared by their hash, so timing says nothing about them.
 */
export function authenticate(headers: IncomingHttpHeaders, accountOfKey: AccountOfKey): Caller {
  for (const key of keysOf(headers)) {
    const account = accountOfKey(hashKey(key));
    if (account !== null) return account;
  }
  throw fail("UNAUTHENTICATED");
}
