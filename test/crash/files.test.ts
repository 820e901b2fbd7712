import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { openContents } from "../../src/store/disk/contents.ts";
import { createPieces } from "../../src/store/disk/pieces.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { makeDataDir } from "../support/data-dir.ts";
import { spawnTestServer, TEST_KEY } from "../support/server.ts";
import { until } from "../support/until.ts";
import { call, readRun, upload } from "./client.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function directory(): Promise<string> {
  const made = await makeDataDir();
  open.push({ close: made.remove });
  return made.path;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Every file below `files/` of a data directory. */
function stored(dataDir: string): readonly string[] {
  const all = readdirSync(join(dataDir, "files"), { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

const COUNT = 12;
const contentOf = (n: number) => `content ${n} ${"x".repeat(n % 3 === 0 ? 400_000 : 10)}`;
const WRITER = `export async function execute(ctx) {
  const ids = [];
  for (let n = 0; n < ${COUNT}; n++) {
    const content = "content " + n + " " + "x".repeat(n % 3 === 0 ? 400000 : 10);
    ids.push((await ctx.files.write("n" + n, content)).id);
  }
  return ids;
}`;

test("a run whose server is killed again and again writes each file once, and nothing else is left", async () => {
  const dataDir = await directory();
  const settings = { WEFT_LIMIT_MAX_ARG_BYTES: "200000" };
  let server = await spawnTestServer(dataDir, settings);
  open.push({ close: () => server.kill() });
  await upload(server.url, { writer: WRITER });
  const { json } = await call(server.url, "writer", { input: {}, background: true });
  const { id } = json as { readonly id: string };
  for (const ms of [15, 40, 25]) {
    await sleep(ms);
    await server.kill();
    server = await spawnTestServer(dataDir, settings);
  }
  await until(async () => (await readRun(server.url, id))["status"] === "completed");
  const { output } = (await readRun(server.url, id)) as unknown as { readonly output: readonly string[] };
  const headers = { authorization: `Bearer ${TEST_KEY}` };
  const answer = await fetch(`${server.url}/api/v1/runs/${id}/files`, { headers });
  const { data } = (await answer.json()) as { readonly data: readonly { id: string; name: string; sha256: string }[] };
  expect(data.map((file) => [file.id, file.name, file.sha256])).toEqual(
    output.map((one, n) => [one, `n${n}`, sha256(contentOf(n))]),
  );
  const expected = output.map((_, n) => sha256(contentOf(n))).sort();
  // Pieces go when the collector next looks; a start is such a time.
  await server.kill();
  server = await spawnTestServer(dataDir, settings);
  await until(
    () => stored(dataDir),
    (names) => names.length === COUNT,
  );
  expect(stored(dataDir)).toEqual(expected);
});

async function* once(text: string): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(text);
}

const uploadTo = (core: TestCore, text: string) => {
  const facts = () => ({ name: "in.txt", contentType: null, scopeType: null, scopeId: null });
  return core.files.upload(core.accountId, { source: once(text), declared: null, facts });
};

test("what a server left half done is gone after the next start, what it acknowledged is there", async () => {
  const dataDir = await directory();
  const first = await startTestCore({ WEFT_DATA_DIR: dataDir });
  const kept = await uploadTo(first, "acknowledged");
  const removed = await uploadTo(first, "removed");
  // As if it had died: the row is gone and its content is not; a content is in place and has no row; pieces and an upload are under way.
  await first.store.removeFile({ accountId: first.accountId, fileId: removed.id });
  await first.store.noteLoose({ hash: sha256("no row") });
  const contents = await openContents({ directory: join(dataDir, "files"), durability: "full" });
  const limit = { maxBytes: 1_000, limit: "maxFileBytes" };
  await contents.keep(await contents.receive(once("no row"), limit));
  await contents.receive(once("half"), limit);
  const pieces = createPieces(join(dataDir, "files", "pieces"));
  await pieces.put("00000000-0000-4000-8000-000000000000", 1, new Uint8Array(3));
  expect(stored(dataDir)).toHaveLength(5);
  await first.close();

  const second = await startTestCore({ WEFT_DATA_DIR: dataDir });
  open.push(second);
  await until(
    () => stored(dataDir),
    (names) => names.length === 1,
  );
  expect(stored(dataDir)).toEqual([kept.hash]);
  expect(await second.store.listLoose({ limit: 9 })).toEqual([]);
  expect(await second.files.find({ accountId: second.accountId, id: kept.id })).toMatchObject({ name: "in.txt" });
});

test("retention takes the files of the runs that it removes along", async () => {
  const dataDir = await directory();
  const core = await startTestCore({ WEFT_DATA_DIR: dataDir });
  await core.deploy(
    "short",
    `export const config = { retention: { runs: 1 } };
     export const execute = async (ctx) => (await ctx.files.write("x", "of run " + ctx.input)).id;`,
  );
  for (const input of [1, 2]) await core.run("short", { input });
  await core.close();
  const again = await startTestCore({ WEFT_DATA_DIR: dataDir });
  open.push(again);
  const hash = sha256("of run 2");
  await until(async () => {
    const { items } = await again.files.list({ accountId: again.accountId, cursor: null, limit: 9 });
    return items.length === 1 && items[0]?.hash === hash;
  });
});
