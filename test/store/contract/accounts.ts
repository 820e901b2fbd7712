import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { sha256, T0 } from "../fixtures.ts";

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
      expect(await world.store.hasKeys()).toBe(false);
      expect(world.store.accountOfKey({ hash })).toBeNull();
      const added = world.store.addKey({
        accountId: world.account.id,
        hash,
        prefix: "weft_ab",
        name: "first",
        createdAt: T0,
      });
      expect(world.store.accountOfKey({ hash })).toEqual({
        ...world.account,
        key: { name: "first", prefix: "weft_ab" },
      });
      await added;
      const store = await reopen();
      expect(await store.hasKeys()).toBe(true);
      expect(store.accountOfKey({ hash })).toEqual({ ...world.account, key: { name: "first", prefix: "weft_ab" } });
    });

    it("takes the same key twice, and refuses one of an unknown account", async () => {
      const { store, account } = subject().world;
      const key = { accountId: account.id, hash: sha256("key"), prefix: "weft_ab", name: "first", createdAt: T0 };
      await store.addKey(key);
      await store.addKey(key);
      await expect(store.addKey({ ...key, accountId: "nobody", hash: sha256("other") })).rejects.toThrow();
      expect(store.accountOfKey({ hash: sha256("other") })).toBeNull();
      expect(store.accountOfKey({ hash: key.hash })).toMatchObject(account);
    });

    it("revokes the keys of a name but one", async () => {
      const { world, reopen } = subject();
      const { store, account } = world;
      const key = { accountId: account.id, prefix: "weft_ab", createdAt: T0 };
      await store.addKey({ ...key, hash: sha256("a"), name: "first" });
      await store.addKey({ ...key, hash: sha256("b"), name: "first" });
      await store.addKey({ ...key, hash: sha256("c"), name: "second" });
      await store.removeKeys({ accountId: account.id, name: "first", except: sha256("b") });
      const again = await reopen();
      const known = ["a", "b", "c"].map((text) => again.accountOfKey({ hash: sha256(text) }) !== null);
      expect(known).toEqual([false, true, true]);
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
