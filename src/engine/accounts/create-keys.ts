import { fail } from "../../../runtime/index.ts";
import type { ApiKey, Caller, Store, StoredKey } from "../../store/store.ts";
import type { KeyRequest, KeyService, KeyTarget, MadeKey } from "./account-service.ts";
import { hashKey, makeKeyId, makeKeyText, prefixOf } from "./key-text.ts";
import { KeyUses } from "./key-uses.ts";

/** Most keys of one account: every key is kept in memory. */
const MAX_KEYS = 1_000;

/** What the service is made from. */
export interface KeyParts {
  readonly store: Pick<Store, "addKey" | "accountOfKey" | "listKeys" | "updateKey" | "removeKey" | "noteKeyUses">;
  report(error: unknown): void;
  now(): number;
}

const notFound = (id: string) => fail("NOT_FOUND", { message: `The account has no API key ${id.slice(0, 60)}.`, id });

const isAlive = ({ expiresAt }: ApiKey, now: number) => expiresAt === null || expiresAt > now;

const rules = (key: ApiKey, now: number) => isAlive(key, now) && key.scopes.includes("admin") && key.refs === null;

/** CONFLICT when nobody could manage the account any more once `next` stands in the place of the key `keyId`. */
function keepAdmin(keys: readonly StoredKey[], keyId: string, next: StoredKey | null, now: number): void {
  const after = keys.flatMap((key) => (key.id === keyId ? (next ?? []) : key));
  const lasting = (key: StoredKey) => rules(key, now) && key.expiresAt === null;
  const before = keys.some(lasting);
  if (before ? after.some(lasting) : after.some((key) => rules(key, now))) return;
  const message =
    "This is the last key with the scope admin that does not expire: the account could not be managed without it. Make another one first.";
  throw fail("CONFLICT", { message, id: keyId });
}

function checkAlive(caller: Caller, now: number): void {
  if (!isAlive(caller.key, now)) {
    const at = new Date(caller.key.expiresAt ?? 0).toISOString();
    throw fail("UNAUTHENTICATED", { message: `The API key ${caller.key.prefix}… expired at ${at}.` });
  }
  if (caller.suspended) throw fail("UNAUTHENTICATED", { message: "The account of this API key is suspended." });
}

async function add(accountId: string, request: KeyRequest, { store, now }: KeyParts): Promise<MadeKey> {
  const text = makeKeyText();
  const key: ApiKey = { ...request, id: makeKeyId(), prefix: prefixOf(text) };
  const createdAt = now();
  await store.addKey({ accountId, hash: hashKey(text), key, createdAt });
  return { text, key: { ...key, createdAt, lastUsedAt: null } };
}

/** Throws CONFLICT for a name that a key has. */
function checkName(keys: readonly StoredKey[], asked: string): void {
  if (!keys.some(({ name }) => name === asked)) return;
  const message = `name: there is a key ${JSON.stringify(asked)} already; rotate it, or revoke it first`;
  throw fail("CONFLICT", { message, param: "name" });
}

function checkNew(keys: readonly StoredKey[], { name }: KeyRequest): void {
  checkName(keys, name);
  if (keys.length < MAX_KEYS) return;
  const message = `The account has ${keys.length} keys, as many as it may (${MAX_KEYS}). Revoke one first.`;
  throw fail("CONFLICT", { message, limit: MAX_KEYS });
}

function findKey(keys: readonly StoredKey[], keyId: string): StoredKey {
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) throw notFound(keyId);
  return key;
}

/** Makes the service. */
export function createKeys(parts: KeyParts): KeyService {
  const { store, now } = parts;
  const uses = new KeyUses(store, parts.report);
  const list = async (accountId: string) =>
    (await store.listKeys({ accountId })).map((key) => ({
      ...key,
      lastUsedAt: uses.pending(key.id) ?? key.lastUsedAt,
    }));
  const find = async ({ accountId, keyId }: KeyTarget) => findKey(await list(accountId), keyId);
  return {
    callerOf(hash) {
      const caller = store.accountOfKey({ hash });
      if (caller === null) return null;
      const at = now();
      checkAlive(caller, at);
      uses.note(caller.key.id, at);
      return caller;
    },
    list,
    find,
    async create({ accountId, request }) {
      checkNew(await list(accountId), request);
      return add(accountId, request, parts);
    },
    async update({ accountId, keyId, changes }) {
      const keys = await list(accountId);
      const key = findKey(keys, keyId);
      const { name = key.name } = changes;
      // A key that was rotated shares its name with the one in its place: only a new name must be free.
      if (name !== key.name) checkName(keys, name);
      keepAdmin(keys, keyId, { ...key, ...changes }, now());
      const changed = await store.updateKey({ accountId, keyId, changes });
      if (changed === null) throw notFound(keyId);
      return { ...changed, lastUsedAt: key.lastUsedAt };
    },
    async rotate({ accountId, keyId, overlapMs }) {
      const { name, scopes, refs, limits, expiresAt } = await find({ accountId, keyId });
      const made = await add(accountId, { name, scopes, refs, limits, expiresAt }, parts);
      const until = now() + overlapMs;
      const changes = { expiresAt: Math.min(until, expiresAt ?? until) };
      if (overlapMs === 0) await store.removeKey({ accountId, keyId });
      else await store.updateKey({ accountId, keyId, changes });
      return made;
    },
    async revoke({ accountId, keyId }) {
      const keys = await list(accountId);
      findKey(keys, keyId);
      keepAdmin(keys, keyId, null, now());
      if (!(await store.removeKey({ accountId, keyId }))) throw notFound(keyId);
    },
    flush: () => uses.flush(),
  };
}
