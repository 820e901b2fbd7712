import { createHash, randomBytes } from "node:crypto";
import type { Account, Store } from "./store/store.ts";

/** Bytes of randomness in a made key. */
const KEY_BYTES = 32;
/** Characters of a key that lists may show. */
const SHOWN = 9;

/** Name of the owner's key. */
const NAME = "owner";

const hashKey = (key: string): string => createHash("sha256").update(key).digest("hex");

async function register(store: Store, account: Account, key: string): Promise<void> {
  const hash = hashKey(key);
  if (store.accountOfKey({ hash }) !== null) return;
  const prefix = key.slice(0, Math.min(SHOWN, Math.floor(key.length / 3)));
  await store.addKey({ accountId: account.id, hash, prefix, name: NAME, createdAt: Date.now() });
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
  const key = `weft_${randomBytes(KEY_BYTES).toString("base64url")}`;
  await register(store, account, key);
  return key;
}
