import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DatastoreDefinition } from "../../../src/engine/datastores/datastore-service.ts";
import type { Amounts } from "../../../src/store/store.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { makeDataDir } from "../../support/data-dir.ts";
import { testKey } from "../../support/keys.ts";
import { type ModelStub, startModelStub } from "../../support/model-stub.ts";
import { until } from "../../support/until.ts";
import { beginFill, fill, words } from "./fill.ts";

const NONE: Amounts = { nanoUsd: null, tokens: null, calls: null };
const TOKENS_OF_TEXT = 3;
const by = (model: string): DatastoreDefinition => ({
  textFields: ["text"],
  vector: { field: "embedding", dimensions: 2, fields: ["text"], model },
});

let stub: ModelStub;
let dir: Awaited<ReturnType<typeof makeDataDir>>;
let core: TestCore;

/** Answers as a model for embeddings does. */
function embeds(body: Readonly<Record<string, unknown>>) {
  const texts = body["input"] as readonly string[];
  const data = texts.map((_text, index) => ({ index, embedding: [index + 1, 1] }));
  const usage = { prompt_tokens: texts.length * TOKENS_OF_TEXT };
  return { raw: JSON.stringify({ data, usage }), headers: { "content-type": "application/json" } };
}

async function startCore(): Promise<TestCore> {
  const models = {
    priced: { base_url: stub.url, price_per_million_tokens: { prompt: 1, completion: 1 }, max_retries: 0 },
    unpriced: { base_url: stub.url, max_retries: 0 },
  };
  const file = join(dir.path, "models.json");
  await writeFile(file, JSON.stringify({ models }));
  return startTestCore({ WEFT_DATA_DIR: dir.path, WEFT_MODELS: file });
}

beforeEach(async () => {
  stub = await startModelStub();
  stub.always(embeds);
  dir = await makeDataDir();
  core = await startCore();
});
afterEach(async () => {
  expect(core.reported).toEqual([]);
  await core.close();
  await stub.close();
  await dir.remove();
});

const put = (limits: Partial<Amounts> | null, key: string | null = null, accountId = core.accountId) =>
  core.budgets.putPools({ accountId, pools: [{ key, limits: limits === null ? null : { ...NONE, ...limits } }] });
const balance = async (key: string | null = null) =>
  (await core.budgets.pools(core.accountId)).find((pool) => pool.key === key)?.balance;
const name = () => ({ accountId: core.accountId, key: "notes", signal: new AbortController().signal });
const search = (payer: string | null = null) =>
  core.datastores.search({ ...name(), payer, params: { query: "desk", mode: "vector", top_k: 1 } });
const upsert = (payer: string | null = null) =>
  core.datastores.upsert({ ...name(), payer, records: [{ id: "x", text: "new" }] });
const rows = async () => (await core.datastores.find(name())).current?.rows;

test("searches and upserts spend from the account's pool, and are refused once it is used up", async () => {
  await fill(core, "notes", words("w", 2), by("priced"));
  await put({ calls: 2 });
  await put({ calls: 0 }, null, "a stranger");
  await search();
  await upsert();
  expect(await balance()).toMatchObject({
    spent: { calls: 2, tokens: 2 * TOKENS_OF_TEXT, nanoUsd: 2 * TOKENS_OF_TEXT * 1_000 },
    reserved: { calls: 0, tokens: 0, nanoUsd: 0 },
  });
  const refused = {
    code: "BUDGET_EXCEEDED",
    details: { of: "account", limit: "budget.calls", max: 2, spent: 2, retry_after: expect.any(Number) },
  };
  await expect(search()).rejects.toMatchObject(refused);
  await expect(upsert()).rejects.toMatchObject(refused);
  expect(stub.calls).toHaveLength(3);
  expect(await rows()).toBe(3);
  await core.datastores.search({ ...name(), params: { query: "new" } });
  const add = { ...NONE, calls: 1 };
  await core.budgets.topUp({ accountId: core.accountId, target: { key: null }, add, idempotencyKey: null });
  await search();
});

test("an import that finds no money left fails, and the records of before stay", async () => {
  await fill(core, "notes", words("old", 2), by("priced"));
  await put({ calls: 1 });
  const { id: importId } = await beginFill(core, "notes", words("new", 2_000), by("priced"));
  const { state, usage } = await core.datastores.importEnd({ ...name(), importId });
  expect(state).toMatchObject({
    status: "failed",
    error: {
      code: "BUDGET_EXCEEDED",
      message: expect.stringContaining("the account's pool of the day"),
      details: { max: 1 },
    },
  });
  expect(usage.tokens).toBeGreaterThan(0);
  expect(await balance()).toMatchObject({ spent: { calls: 1 }, reserved: { calls: 0 } });
  const { text } = await core.datastores.get({ ...name(), ids: ["0"] });
  expect(text).toBe('[{"id":"0","text":"old 0"}]');
});

test("the key that asked pays along with its account, also for an import that goes on after a restart", async () => {
  const hash = createHash("sha256").update("key").digest("hex");
  const { accountId } = core;
  await core.store.addKey({ accountId, hash, key: testKey("ci"), createdAt: Date.now() });
  await put({ calls: 3 }, "ci");
  stub.always({ delayMs: 3_600_000 });
  const definition = by("priced");
  const staged = await core.datastores.stage({
    accountId,
    body: (async function* () {
      yield Buffer.from('{"id":"0","text":"one"}\n');
    })(),
    length: null,
    signal: name().signal,
  });
  const asked = {
    accountId,
    key: "notes",
    payer: "ci",
    format: "jsonl",
    options: {},
    definition,
    creates: true,
  } as const;
  await core.datastores.addImport(staged, asked);
  await until(() => stub.calls.length > 0);
  expect(await balance("ci")).toMatchObject({ spent: { calls: 0 }, reserved: { calls: 1 } });
  await core.close();
  stub.always(embeds);
  core = await startCore();
  await core.datastores.importEnd({ accountId, key: "notes", importId: staged.id });
  // The call that the stop interrupted counts as well: it may have been paid.
  expect(await balance("ci")).toMatchObject({ spent: { calls: 2 }, reserved: { calls: 0 } });
  await search("ci");
  await expect(search("ci")).rejects.toMatchObject({ code: "BUDGET_EXCEEDED", details: { of: "key", key: "ci" } });
  await search("another");
  await search();
});

test("calls that may fit once others are settled wait for them; one that is given up gives its money back", async () => {
  await fill(core, "notes", words("w", 2), by("priced"));
  await put({ tokens: 200 });
  const results = await Promise.all([search(), search(), search(), search()]);
  expect(results).toHaveLength(4);
  expect(await balance()).toMatchObject({ spent: { tokens: 4 * TOKENS_OF_TEXT }, reserved: { tokens: 0 } });
  const before = stub.calls.length;
  stub.always({ delayMs: 3_600_000 });
  const leaving = new AbortController();
  const params = { query: "desk", mode: "vector" };
  const hanging = core.datastores.search({ ...name(), signal: leaving.signal, params });
  await until(() => stub.calls.length > before);
  const second = new AbortController();
  const waiting = core.datastores.search({ ...name(), signal: second.signal, params });
  second.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow();
  leaving.abort(new Error("gone"));
  await expect(hanging).rejects.toThrow();
  await until(async () => (await balance())?.reserved.tokens === 0);
  expect(stub.calls).toHaveLength(before + 1);
});

test("what has no price is refused where a pool is in dollars, and what cannot ever fit says what it needs", async () => {
  await fill(core, "notes", words("w", 2), by("unpriced"));
  await put({ nanoUsd: 1_000_000_000 });
  await expect(search()).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining('model "unpriced" has no price'),
  });
  await put({ tokens: 5 });
  await expect(search()).rejects.toMatchObject({
    code: "BUDGET_EXCEEDED",
    message: expect.stringMatching(/may cost \d+ tokens, but of 5 /),
  });
  await put(null);
  await search();
});
