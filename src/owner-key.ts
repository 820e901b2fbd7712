import { hashKey, makeKeyId, makeKeyText, prefixOf } from "./engine/accounts/key-text.ts";
import type { Account, Store } from "./store/store.ts";

/** Name of the owner's key. */
const NAME = "owner";

async function register(store: Store, account: Account, text: string): Promise<void> {
  const hash = hashKey(text);
  if (store.accountOfKey({ hash }) !== null) return;
  const limits = { requestsPerMinute: null, concurrency: null };
  const named = { id: makeKeyId(), name: NAME, prefix: prefixOf(text) };
  const key = { ...named, scopes: ["admin"], refs: null, limits, expiresAt: null } as const;
  await store.addKey({ accountId: account.id, hash, key, createdAt: Date.now() });
}

/**
 * Sees to it that the owner has a key: `given` when there is one, else, in a store without keys, a new one, which is
 * returned so that it can be shown once. A given key replaces the former ones. Only hashes are stored.
 */
export async function ensureOwnerKey(store: Store, given: string | null): Promise<string | null> {
  const account = await store.ownerAccount();
  if (given !== null) {
    await register(store, account, given);
    await store.removeKeys({ accountId: account.id, name: NAME, except: hashKey(given) });
    return null;
  }
  if (await store.hasKeys()) return null;
  const key = makeKeyText();
  await register(store, account, key);
  return key;
}
