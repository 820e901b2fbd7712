import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureOwnerKey } from "../src/owner-key.ts";
import { createSqliteStore } from "../src/store/sqlite/store.ts";
import type { Store } from "../src/store/store.ts";
import { type DataDir, makeDataDir } from "./support/data-dir.ts";
import { testKey } from "./support/keys.ts";

let dir: DataDir;
let store: Store;

const open = () => createSqliteStore({ file: join(dir.path, "weft.db"), durability: "relaxed" });
const isKnown = (key: string) => store.accountOfKey({ hash: createHash("sha256").update(key).digest("hex") }) !== null;

beforeEach(async () => {
  dir = await makeDataDir();
  store = await open();
});

afterEach(async () => {
  await store.close();
  await dir.remove();
});

test("a new owner key revokes the former one, also after a restart; keys of other names stay", async () => {
  const { id: accountId } = await store.ownerAccount();
  const other = createHash("sha256").update("other-key").digest("hex");
  await store.addKey({ accountId, hash: other, key: testKey("other"), createdAt: Date.now() });
  await ensureOwnerKey(store, "former-key-0123456789");
  await ensureOwnerKey(store, "newer-key-0123456789");
  const known = () => ["former-key-0123456789", "newer-key-0123456789", "other-key"].map(isKnown);
  expect(known()).toEqual([false, true, true]);
  await store.close();
  store = await open();
  expect(known()).toEqual([false, true, true]);
});
