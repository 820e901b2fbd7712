import { makeKeyId } from "../../src/engine/accounts/key-text.ts";
import type { ApiKey } from "../../src/engine/types.ts";

/** No limits. */
export const UNLIMITED = { requestsPerMinute: null, concurrency: null } as const;

/** A key that may do everything; `more` replaces members. */
export function testKey(name: string, more: Partial<ApiKey> = {}): ApiKey {
  const usual = { scopes: ["admin"], refs: null, limits: UNLIMITED, expiresAt: null } as const;
  return { id: makeKeyId(), name, prefix: "weft_", ...usual, ...more };
}
