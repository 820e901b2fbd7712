import { describe, expect, it } from "vitest";
import { testKey } from "../../support/keys.ts";
import type { Subject } from "../contract.ts";
import { sha256, T0 } from "../fixtures.ts";

const NO_LIMITS = { requestsPerMinute: null, concurrency: null };

/** Contract: accounts, API keys and settings. */
export function describeAccounts(subject: () => Subject): void {
  describe("accounts, keys, settings", () => {
    it("makes the owner's account once and keeps it", async () => {
      const { world, reopen } = subject();
      expect(world.account.owner).toBe(true);
      expect(await world.store.ownerAccount()).toEqual(world.account);
      expect(await (await reopen()).ownerAccount()).toEqual(world.account);
    });

    it("knows the account of a key at once, and after reopening", async () => {
      const { world, reopen } = subject();
      const hash = sha256("key");
      const key = testKey("first", { scopes: ["invoke", "read"], refs: ["a", "b-*"], expiresAt: T0 + 1 });
      expect(await world.store.hasKeys()).toBe(false);
      expect(world.store.accountOfKey({ hash })).toBeNull();
      const added = world.store.addKey({ accountId: world.account.id, hash, key, createdAt: T0 });
      expect(world.store.accountOfKey({ hash })).toEqual({ ...world.account, key });
      await added;
      const store = await reopen();
      expect(await store.hasKeys()).toBe(true);
      expect(store.accountOfKey({ hash })).toEqual({ ...world.account, key });
    });

    it("takes the same key twice, and refuses one of an unknown account", async () => {
      const { store, account } = subject().world;
      const key = { accountId: account.id, hash: sha256("key"), key: testKey("first"), createdAt: T0 };
      await store.addKey(key);
      await store.addKey(key);
      await expect(store.addKey({ ...key, accountId: "nobody", hash: sha256("other") })).rejects.toThrow();
      expect(store.accountOfKey({ hash: sha256("other") })).toBeNull();
      expect(store.accountOfKey({ hash: key.hash })).toMatchObject(account);
      expect(await store.listKeys({ accountId: account.id })).toHaveLength(1);
    });

    it("revokes the keys of a name but one", async () => {
      const { world, reopen } = subject();
      const { store, account } = world;
      const add = (hash: string, name: string) =>
        store.addKey({ accountId: account.id, hash: sha256(hash), key: testKey(name), createdAt: T0 });
      await add("a", "first");
      await add("b", "first");
      await add("c", "second");
      await store.removeKeys({ accountId: account.id, name: "first", except: sha256("b") });
      const again = await reopen();
      const known = ["a", "b", "c"].map((text) => again.accountOfKey({ hash: sha256(text) }) !== null);
      expect(known).toEqual([false, true, true]);
    });

    it("changes, uses and removes keys of the account that has them, in force at once", async () => {
      const { world, reopen } = subject();
      const { store, account } = world;
      const other = await store.createAccount({ name: "other", limits: NO_LIMITS, createdAt: T0 });
      const key = testKey("first");
      const hash = sha256("a");
      await store.addKey({ accountId: account.id, hash, key, createdAt: T0 });
      const changes = { name: "renamed", limits: { requestsPerMinute: 5, concurrency: 2 }, expiresAt: T0 + 5 };
      expect(await store.updateKey({ accountId: other.id, keyId: key.id, changes })).toBeNull();
      const changing = store.updateKey({ accountId: account.id, keyId: key.id, changes });
      expect(store.accountOfKey({ hash })?.key).toEqual({ ...key, ...changes });
      expect(await changing).toMatchObject(changes);
      await store.noteKeyUses({
        uses: new Map([
          [key.id, T0 + 9],
          ["key_gone", T0],
        ]),
      });
      const again = await reopen();
      expect(await again.listKeys({ accountId: account.id })).toEqual([
        { ...key, ...changes, createdAt: T0, lastUsedAt: T0 + 9 },
      ]);
      expect(await again.listKeys({ accountId: other.id })).toEqual([]);
      expect(await again.removeKey({ accountId: other.id, keyId: key.id })).toBe(false);
      const removing = again.removeKey({ accountId: account.id, keyId: key.id });
      expect(again.accountOfKey({ hash })).toBeNull();
      expect(await removing).toBe(true);
      expect(await again.removeKey({ accountId: account.id, keyId: key.id })).toBe(false);
    });

    it("makes, finds, lists and changes accounts; names are unique", async () => {
      const { world, reopen } = subject();
      const { store, account } = world;
      const first = { requestsPerMinute: null, concurrency: 3 };
      const team = { name: "team", limits: first, createdAt: T0 };
      const made = await store.createAccount(team);
      expect(made).toMatchObject({ name: "team", owner: false, suspended: false, limits: first });
      expect(await store.findAccount({ key: "team" })).toEqual(made);
      await expect(store.createAccount(team)).rejects.toMatchObject({ code: "CONFLICT" });
      const limits = { requestsPerMinute: 60, concurrency: null };
      const changed = { ...made, name: "team-2", suspended: true, limits };
      await store.addKey({ accountId: made.id, hash: sha256("k"), key: testKey("k"), createdAt: T0 });
      const { name, suspended } = changed;
      expect(await store.updateAccount({ accountId: made.id, changes: { name, suspended, limits } })).toEqual(changed);
      expect(store.accountOfKey({ hash: sha256("k") })).toMatchObject(changed);
      await expect(store.updateAccount({ accountId: made.id, changes: { name: account.name } })).rejects.toMatchObject({
        code: "CONFLICT",
      });
      expect(await store.updateAccount({ accountId: "nobody", changes: {} })).toBeNull();
      const again = await reopen();
      expect(await again.findAccount({ key: made.id })).toEqual(changed);
      expect(await again.findAccount({ key: "team-2" })).toEqual(changed);
      expect(await again.findAccount({ key: "team" })).toBeNull();
      expect(await again.listAccounts({ limit: 1, offset: 1 })).toEqual({ items: [changed], total: 2 });
    });

    it("keeps settings", async () => {
      const { world, reopen } = subject();
      expect(await world.store.readSetting({ name: "hmac" })).toBeNull();
      await world.store.writeSetting({ name: "hmac", value: "a" });
      await world.store.writeSetting({ name: "hmac", value: "b" });
      expect(await (await reopen()).readSetting({ name: "hmac" })).toBe("b");
    });
  });
}
