import { readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { fail } from "../../../runtime/index.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { makeDataDir } from "../../support/data-dir.ts";
import { type ModelStub, startModelStub } from "../../support/model-stub.ts";
import { until } from "../../support/until.ts";
import { beginFill, fill, words } from "./fill.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<TestCore> {
  const core = await startTestCore(environment);
  open.push(core);
  return core;
}

async function startStub(): Promise<ModelStub> {
  const stub = await startModelStub();
  open.push(stub);
  return stub;
}

const BY_MODEL = {
  textFields: ["text"],
  vector: { field: "embedding", dimensions: 3, fields: ["text"], model: "embedder" },
} as const;
/** An answer that comes too late for any test. */
const NEVER = { delayMs: 3_600_000 };

const uploads = ({ dataDir }: TestCore) => readdirSync(join(dataDir, "datastores", "uploads"));
const signal = new AbortController().signal;

test("bytes beyond the limit or the free disk are refused, and nothing is left of them", async () => {
  const small = await start({ WEFT_LIMIT_MAX_IMPORT_BYTES: "1000" });
  const body = () => Readable.from([Buffer.alloc(900), Buffer.alloc(900)]);
  const limited = small.datastores.stage({ accountId: small.accountId, body: body(), length: null, signal });
  await expect(limited).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE", details: { limit: "maxImportBytes" } });
  const told = small.datastores.stage({ accountId: small.accountId, body: body(), length: 1_001, signal });
  await expect(told).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  expect(uploads(small)).toEqual([]);
  const full = await start({ WEFT_MIN_FREE_DISK_MB: "1000000000" });
  const refused = full.datastores.stage({ accountId: full.accountId, body: body(), length: null, signal });
  await expect(refused).rejects.toMatchObject({ code: "OVERLOADED", details: { limit: "minFreeDiskMb" } });
  expect(uploads(full)).toEqual([]);
});

test("a sender that goes away leaves nothing", async () => {
  const core = await start();
  const gone = new AbortController();
  const body = new PassThrough();
  body.write("a,b\n1,2\n");
  const staged = core.datastores.stage({ accountId: core.accountId, body, length: null, signal: gone.signal });
  await until(() => uploads(core).length === 1);
  gone.abort(fail("EXECUTION_CANCELLED"));
  await expect(staged).rejects.toMatchObject({ code: "EXECUTION_CANCELLED" });
  expect(uploads(core)).toEqual([]);
  expect((await core.datastores.list({ accountId: core.accountId, limit: 9, offset: 0 })).total).toBe(0);
});

test("an import that is cancelled stops at once, waiting or running, and the records of before stay", async () => {
  const stub = await startStub();
  const core = await start({ OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk", WEFT_DATASTORE_IMPORTS: "1" });
  const { datastores, accountId } = core;
  await fill(core, "kept", words("old", 2));
  stub.always(NEVER);
  const running = await beginFill(core, "kept", words("new", 2), BY_MODEL);
  const waiting = await beginFill(core, "kept", words("newer", 2));
  const other = await beginFill(core, "other", words("other", 2));
  await until(() => stub.calls.length > 0);
  const name = { accountId, key: "kept" };
  const busy = datastores.upsert({ ...name, signal, records: [{ id: "1", text: "x" }] });
  await expect(busy).rejects.toMatchObject({ code: "CONFLICT" });
  for (const { id: importId } of [waiting, running])
    expect(await datastores.cancelImport({ ...name, importId })).toMatchObject({
      state: { status: "cancelled", error: { code: "EXECUTION_CANCELLED" } },
    });
  const again = datastores.cancelImport({ ...name, importId: running.id });
  await expect(again).rejects.toMatchObject({ code: "CONFLICT" });
  const end = await datastores.importEnd({ accountId, key: "other", importId: other.id });
  expect(end.state.status).toBe("complete");
  expect(await datastores.get({ ...name, signal, ids: ["0"] })).toMatchObject({ text: '[{"id":"0","text":"old 0"}]' });
  expect(uploads(core)).toEqual([]);
  expect(core.reported).toEqual([]);
});

test("deleting a datastore ends its imports", async () => {
  const stub = await startStub();
  const core = await start({ OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk" });
  const { datastores, accountId } = core;
  stub.always(NEVER);
  await beginFill(core, "gone", words("x", 2), BY_MODEL);
  await until(() => stub.calls.length > 0);
  await datastores.remove({ accountId, key: "gone" });
  await expect(datastores.find({ accountId, key: "gone" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(uploads(core)).toEqual([]);
  expect(core.reported).toEqual([]);
});

test("a server that stops goes on with its imports at the next start, and clears what nobody knows", async () => {
  const stub = await startStub();
  const dir = await makeDataDir();
  open.push({ close: dir.remove });
  const environment = { WEFT_DATA_DIR: dir.path, OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk" };
  stub.always(NEVER);
  const first = await startTestCore(environment);
  const { accountId } = first;
  const { id: importId } = await beginFill(first, "later", words("x", 2), BY_MODEL);
  await until(() => stub.calls.length > 0);
  await first.close();
  const stray = join(dir.path, "datastores", accountId, "ds_00000000000000000000000000000000");
  await mkdir(stray, { recursive: true });
  await writeFile(join(stray, "7.db"), "x");
  await writeFile(join(dir.path, "datastores", "uploads", "imp_1.part"), "x");
  const vectors = [0, 1].map((index) => ({ index, embedding: [1, index, 0] }));
  const answer = { data: vectors, usage: { prompt_tokens: 1_000, total_tokens: 1_000 } };
  stub.always({ raw: JSON.stringify(answer), headers: { "content-type": "application/json" } });
  const second = await start(environment);
  const done = await second.datastores.importEnd({ accountId, key: "later", importId });
  expect(done).toMatchObject({ state: { status: "complete", rows: 2 }, usage: { tokens: 1_000 } });
  expect(uploads(second)).toEqual([]);
  expect(readdirSync(join(dir.path, "datastores", accountId))).toEqual([
    (await second.datastores.find({ accountId, key: "later" })).id,
  ]);
});

test("vectors come from the built-in model when there is no service, for records and for searches", async () => {
  const core = await start();
  const { datastores, accountId } = core;
  const records = [
    { id: "a", text: "the garden hose leaks" },
    { id: "b", text: "a lamp for the desk" },
  ];
  const vector = { field: "embedding", dimensions: null, fields: ["text"], model: null };
  await fill(core, "notes", records, { vector });
  const put = await datastores.upsert({
    accountId,
    key: "notes",
    signal,
    records: [{ id: "c", text: "watering gardens" }],
  });
  expect(put.usage).toEqual({ tokens: 2, costUsd: 0 });
  const params = { query: "garden hose", mode: "vector", top_k: 2 };
  const found = await datastores.search({ accountId, key: "notes", signal, params });
  expect(found.usage).toEqual({ tokens: 2, costUsd: 0 });
  expect(JSON.parse(found.text).map(({ id }: { id: string }) => id)).toEqual(["a", "c"]);
  await core.deploy(
    "asks",
    `export const config = { datastores: ["notes"] };
    export const execute = async (ctx) =>
      (await ctx.datastore.search("notes", "desk lamp", { mode: "vector", top_k: 1 }))[0].id;`,
  );
  expect(await core.run("asks")).toMatchObject({
    status: "completed",
    output: '"b"',
    usage: { ops: 1, promptTokens: 2 },
  });
});

test("the first records and an import that comes meanwhile do not wait for each other", async () => {
  const core = await start({ WEFT_DATASTORE_IMPORTS: "1" });
  const { datastores, accountId } = core;
  const name = { accountId, key: "both" };
  await datastores.create({ accountId, name: name.key, definition: {} });
  const staged = await datastores.stage({ accountId, body: Readable.from(['{"id":"2"}\n']), length: null, signal });
  // The records are on their way to the disk when the import is queued.
  const changed = datastores.upsert({ ...name, signal, records: [{ id: "1" }] });
  const asked = { ...name, format: "jsonl", options: {}, definition: null, creates: false } as const;
  const { id: importId } = await datastores.addImport(staged, asked);
  expect(await changed).toMatchObject({ revision: 1, added: 1 });
  const end = await datastores.importEnd({ ...name, importId });
  expect(end.state).toMatchObject({ status: "complete", revision: 2, rows: 1 });
});

test("an account has so many uploads under way, and each that ends makes room", async () => {
  const core = await start({ WEFT_LIMIT_MAX_OPEN_IMPORTS: "1" });
  const { datastores, accountId } = core;
  const send = () => datastores.stage({ accountId, body: Readable.from(["a\n1\n"]), length: null, signal });
  const staged = await send();
  await expect(send()).rejects.toMatchObject({ code: "RATE_LIMITED", details: { limit: "maxOpenImports", value: 1 } });
  const other = { accountId: "acc_other", body: Readable.from(["a\n1\n"]), length: null, signal };
  await datastores.discard(await datastores.stage(other));
  await datastores.discard(staged);
  await datastores.discard(await send());
  expect(uploads(core)).toEqual([]);
});

test("a datastore that is too large takes no more records, but gives some away", async () => {
  const core = await start({ WEFT_LIMIT_MAX_DATASTORE_BYTES: "10000" });
  const name = { accountId: core.accountId, key: "large" };
  await fill(core, name.key, words("w", 10));
  const more = core.datastores.upsert({ ...name, signal, records: [{ id: "x", text: "x" }] });
  await expect(more).rejects.toMatchObject({ code: "LIMIT_EXCEEDED", details: { limit: "maxDatastoreBytes" } });
  expect(await core.datastores.removeRecords({ ...name, signal, ids: ["1"] })).toMatchObject({ removed: 1, rows: 9 });
});

test("a page after a revision that is none yet is refused", async () => {
  const core = await start();
  const name = { accountId: core.accountId, key: "pages" };
  await fill(core, name.key, words("w", 3));
  const after = { base: 1, revision: 2, row: 1 };
  const page = core.datastores.scan({ ...name, signal, filter: undefined, limit: 1, after });
  await expect(page).rejects.toMatchObject({ code: "INVALID_REQUEST", details: { param: "cursor" } });
});

test("the data directory may be named relative to where the server started", async () => {
  const dir = await makeDataDir();
  open.push({ close: () => dir.remove() });
  const core = await start({ WEFT_DATA_DIR: relative(process.cwd(), dir.path) });
  expect((await fill(core, "words", words("word", 3))).state.status).toBe("complete");
});
