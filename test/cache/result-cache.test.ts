import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createResultCache } from "../../src/cache/result-cache.ts";
import { toRow } from "../../src/engine/workflow-settings.ts";
import { createSqliteStore } from "../../src/store/sqlite/store.ts";
import type { CachedResult, Store } from "../../src/store/store.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";

const MIB = 1024 * 1024;
let dir: DataDir;
let store: Store;
let workflowId: string;

beforeEach(async () => {
  dir = await makeDataDir();
  store = await createSqliteStore({ file: join(dir.path, "weft.db"), durability: "relaxed" });
  const { id: accountId } = await store.ownerAccount();
  workflowId = (await store.putWorkflow(toRow({ accountId, ref: "w" }, null, {}))).id;
});

afterEach(async () => {
  await store.close();
  await dir.remove();
});

const result = (output: string, expiresAt: number | null = null): CachedResult => ({
  executionId: "origin",
  output,
  chunks: [{ index: 0, type: '"p"', content: "1", text: false }],
  createdAt: Date.now(),
  expiresAt,
});

test("a result is found in memory and, by another process, in the store", async () => {
  const cache = createResultCache({ store, maxBytes: MIB, maxStoredBytes: MIB });
  await cache.write("k", { workflowId, result: result("1"), memoryOnly: false });
  expect((await cache.read("k", Date.now()))?.output).toBe("1");
  const other = createResultCache({ store, maxBytes: MIB, maxStoredBytes: MIB });
  expect(await other.read("k", Date.now())).toMatchObject({
    executionId: "origin",
    output: "1",
    chunks: [{ content: "1" }],
  });
});

test("a result for this process only never reaches the store", async () => {
  const cache = createResultCache({ store, maxBytes: MIB, maxStoredBytes: MIB });
  await cache.write("k", { workflowId, result: result("1"), memoryOnly: true });
  expect(await cache.read("k", Date.now())).not.toBeNull();
  expect(await store.readResult({ key: "k", now: Date.now() })).toBeNull();
});

test("an expired result is not served", async () => {
  const cache = createResultCache({ store, maxBytes: MIB, maxStoredBytes: MIB });
  const now = Date.now();
  await cache.write("k", { workflowId, result: result("1", now + 1_000), memoryOnly: false });
  expect(await cache.read("k", now)).not.toBeNull();
  expect(await cache.read("k", now + 1_000)).toBeNull();
  expect(await cache.read("k", now + 1_000)).toBeNull();
});

test("memory is bounded by bytes: the least recently used goes first", async () => {
  const cache = createResultCache({ store, maxBytes: 20_000, maxStoredBytes: MIB });
  for (const key of ["a", "b", "c"]) {
    await cache.write(key, { workflowId, result: result("x".repeat(9_000)), memoryOnly: true });
  }
  expect(await cache.read("a", Date.now())).toBeNull();
  expect(await cache.read("c", Date.now())).not.toBeNull();
});

test("results on disk are pruned by what was written, and after the first write of a process", async () => {
  const cache = createResultCache({ store, maxBytes: MIB, maxStoredBytes: 2_000 });
  const big = JSON.stringify("x".repeat(1_500));
  for (const key of ["a", "b", "c"]) await cache.write(key, { workflowId, result: result(big), memoryOnly: false });
  expect(await store.readResult({ key: "a", now: Date.now() })).toBeNull();
  expect(await store.readResult({ key: "c", now: Date.now() })).not.toBeNull();
  const smaller = createResultCache({ store, maxBytes: MIB, maxStoredBytes: 200 });
  await smaller.write("d", { workflowId, result: result("1"), memoryOnly: false });
  expect(await store.readResult({ key: "c", now: Date.now() })).toBeNull();
});
