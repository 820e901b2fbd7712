import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../runtime/index.ts";
import { collectFiles } from "../../../src/engine/datastores/collect-files.ts";
import { openDisk } from "../../../src/engine/datastores/disk.ts";
import type { Execution } from "../../../src/engine/types.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { makeDataDir } from "../../support/data-dir.ts";
import { until } from "../../support/until.ts";
import { fill, words } from "./fill.ts";

let dir: Awaited<ReturnType<typeof makeDataDir>>;
let core: TestCore;
beforeAll(async () => {
  dir = await makeDataDir();
  core = await startTestCore({ WEFT_DATA_DIR: dir.path });
});
afterAll(async () => {
  await core.close();
  await dir.remove();
});

const WAITS = `export const config = { datastores: ["news"] };
export async function execute(ctx) {
  const read = async () => [
    (await ctx.datastore.get("news", "0")).text,
    await ctx.datastore.count("news"),
    (await ctx.datastore.search("news", "old")).length,
  ];
  const before = await read();
  await ctx.waitFor("go");
  return { before, after: await read() };
}`;
const READS = `export const config = { datastores: ["plain"] };
export const execute = async (ctx) => (await ctx.datastore.get("plain", ctx.input.id))?.text ?? null;`;

const find = (executionId: string) => core.engine.findExecution({ accountId: core.accountId, executionId });
const ended = (executionId: string): Promise<Execution> =>
  until(
    () => find(executionId),
    ({ state }) => "finishedAt" in state,
  );
const outputOf = ({ state }: Execution) =>
  JSON.parse(state.status === "completed" ? (state.output ?? "null") : JSON.stringify(state));

async function parked(): Promise<string> {
  const { executionId } = await core.invoke("waits", { mode: "background" });
  await until(
    () => find(executionId),
    ({ state }) => state.status === "waiting",
  );
  return executionId;
}

const go = (executionId: string | null) =>
  core.waiting.send({
    accountId: core.accountId,
    name: "go",
    data: null,
    executionId,
    id: null,
    ttlMs: null,
  });

async function restart(): Promise<void> {
  await core.close();
  core = await startTestCore({ WEFT_DATA_DIR: dir.path });
}

const OLD = { before: ["old 0", 2, 2], after: ["old 0", 2, 2] };

test("an execution sees one revision from start to end, also across a restart; its forks see it, too", async () => {
  await fill(core, "news", words("old", 2));
  await core.deploy("waits", WAITS);
  const executionId = await parked();
  await fill(core, "news", words("new", 5));
  const { accountId } = core;
  const { signal } = new AbortController();
  await core.datastores.upsert({ accountId, key: "news", signal, records: [{ id: "9", text: "newer" }] });
  await restart();
  const later = await parked();
  await go(executionId);
  await go(later);
  expect(outputOf(await ended(executionId))).toEqual(OLD);
  expect(outputOf(await ended(later))).toEqual({ before: ["new 0", 6, 0], after: ["new 0", 6, 0] });
  const plain = { at: null, version: null, set: {}, secrets: {}, idempotencyKey: null };
  const forked = await core.engine.fork({ ...plain, accountId, executionId });
  expect(outputOf(await ended(forked))).toEqual(OLD);
  const anew = await core.engine.fork({ ...plain, accountId, executionId, at: 0 });
  await until(
    () => find(anew),
    ({ state }) => state.status === "waiting",
  );
  await go(anew);
  expect(outputOf(await ended(anew))).toEqual(OLD);
});

test("a replay needs no datastore, and the same script gives the same", async () => {
  const { executionId, result } = await core.invoke("waits", { mode: "background" });
  await until(
    () => find(executionId),
    ({ state }) => state.status === "waiting",
  );
  await go(executionId);
  await result;
  const upload = { files: [{ path: "waits.ts", text: WAITS }] };
  const checked: string[] = [];
  for await (const one of core.replays.check({ accountId: core.accountId, key: "waits", upload, last: 1 }))
    checked.push(one.verdict.verdict);
  expect(checked).toEqual(["identical"]);
});

test("revisions are part of the cache key: a change is seen at once, and nothing else costs the cache", async () => {
  await fill(core, "plain", words("first", 3));
  await core.deploy("reads", READS);
  const { accountId } = core;
  const { signal } = new AbortController();
  const ask = async () => {
    const { cache, result } = await core.invoke("reads", { input: { id: "1" } });
    const ended = await result;
    return [ended.status === "completed" ? JSON.parse(ended.output) : ended, cache];
  };
  expect(await ask()).toEqual(["first 1", "miss"]);
  expect(await ask()).toEqual(["first 1", "hit"]);
  await core.datastores.removeRecords({ accountId, key: "plain", signal, ids: ["not there"] });
  expect(await ask()).toEqual(["first 1", "hit"]);
  await core.datastores.upsert({ accountId, key: "plain", signal, records: [{ id: "1", text: "changed" }] });
  expect(await ask()).toEqual(["changed", "miss"]);
  await fill(core, "plain", words("second", 3));
  expect(await ask()).toEqual(["second 1", "miss"]);
  await core.datastores.remove({ accountId, key: "plain" });
  const gone = await (await core.invoke("reads", { input: { id: "1" } })).result;
  expect(gone).toMatchObject({ status: "failed", error: { code: "CAPABILITY_DENIED" } });
});

test("a file that was left stays while an unfinished execution reads it, and goes afterwards", async () => {
  const root = join(dir.path, "datastores");
  const disk = await openDisk({ root, minFreeBytes: 0, maxImportBytes: 1 });
  const later = () => Date.now() + 86_400_000;
  const { store, accountId } = core;
  const parts = {
    store,
    disk,
    limits: DEFAULT_LIMITS,
    ledger: { spendingOf: () => null },
    runtime: core.runtime.datastores,
    closing: new AbortController().signal,
    isHeld: () => false,
    report: (error: unknown) => expect(error).toBeUndefined(),
    now: later,
  };
  const pinned = await core.datastores.find({ accountId, key: "news" });
  const executionId = await parked();
  await fill(core, "news", words("newest", 1));
  const directory = join(root, accountId, pinned.id);
  const old = join(directory, `${pinned.current?.base}.db`);
  await collectFiles(0, parts);
  expect(existsSync(old)).toBe(true);
  await go(executionId);
  expect(outputOf(await ended(executionId))).toMatchObject({ after: ["new 0", 6, 0] });
  await collectFiles(0, parts);
  expect(existsSync(old)).toBe(false);
  expect(readdirSync(directory).filter((name) => name.endsWith(".db"))).toHaveLength(1);

  const last = await parked();
  await core.datastores.remove({ accountId, key: "news" });
  await go(last);
  expect(outputOf(await ended(last))).toMatchObject({ after: ["newest 0", 1, 0] });
  await collectFiles(0, parts);
  expect(existsSync(directory)).toBe(false);
});

test("large reads are not in the journal: a resumed execution makes them again at its revision", async () => {
  const long = (prefix: string) =>
    words(prefix, 2_000).map((word) => ({ ...word, text: `${word.text} ${"x".repeat(80)}` }));
  await fill(core, "long", long("old"));
  await core.deploy(
    "long",
    `export const config = { datastores: ["long"] };
    export async function execute(ctx) {
      const texts = [];
      for await (const { data } of ctx.datastore.scan("long", { batch: 1000 })) texts.push(data.text.slice(0, 3));
      await ctx.waitFor("go");
      return [texts.length, texts.filter((text) => text === "old").length];
    }`,
  );
  const { executionId } = await core.invoke("long", { mode: "background" });
  await until(
    () => find(executionId),
    ({ state }) => state.status === "waiting",
  );
  await fill(core, "long", long("new"));
  await restart();
  const journal = await core.store.readJournal({ executionId });
  expect(journal.filter(({ op }) => op === "datastore.scan")).toHaveLength(2);
  expect(JSON.stringify(journal).length).toBeLessThan(5_000);
  await go(executionId);
  expect(outputOf(await ended(executionId))).toEqual([2_000, 2_000]);
});
