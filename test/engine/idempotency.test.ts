import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";

let dir: DataDir;
let core: TestCore;

const open = async (environment: Readonly<Record<string, string>> = {}) => {
  core = await startTestCore({ WEFT_DATA_DIR: dir.path, ...environment });
};

beforeEach(async () => {
  dir = await makeDataDir();
  await open();
  await core.deploy(
    "talks",
    "export async function execute(ctx) { ctx.emit('p', 1); await ctx.sleep(ctx.input); return Math.random() }",
  );
  await core.deploy("pure", "export async function execute(ctx) { return ctx.input }");
});

afterEach(async () => {
  await core.close();
  await dir.remove();
  expect(core.reported).toEqual([]);
});

const key = { idempotencyKey: "k", input: 200 } as const;
const outputOf = (result: unknown) => (result as { readonly output?: string }).output;

describe("the same key and body", () => {
  test.each([
    ["sync", "stream"],
    ["stream", "sync"],
    ["background", "stream"],
    ["stream", "background"],
  ] as const)("in a %s call and a %s call is one execution", async (first, second) => {
    const params = (mode: string) => (mode === "stream" ? { stream: true } : {});
    const all = await Promise.all(
      [first, second, first].map((mode) => core.invoke("talks", { ...key, mode, params: params(mode) })),
    );
    const seen: string[] = [];
    for (const one of all) one.subscribe((chunks) => seen.push(...chunks.map((chunk) => chunk.content)));
    const results = await Promise.all(all.map((one) => one.result));
    expect(new Set(all.map((one) => one.executionId)).size).toBe(1);
    expect(new Set(results.map(outputOf)).size).toBe(1);
    expect(results[0]?.status).toBe("completed");
    await expect.poll(() => seen).toEqual(["1", "1", "1"]);
    const late = await core.invoke("talks", key);
    expect(outputOf(await late.result)).toBe(outputOf(results[0]));
  });

  test("returns the first execution after a restart, also when that failed", async () => {
    await core.deploy("fails", "export async function execute(ctx) { ctx.emit('p', 1); throw new Error('no') }");
    const first = await core.invoke("talks", key);
    const result = await first.result;
    const failed = await core.invoke("fails", { idempotencyKey: "f" });
    await failed.result;
    await core.close();
    await open();
    const again = await core.invoke("talks", key);
    expect(again.executionId).toBe(first.executionId);
    expect(outputOf(await again.result)).toBe(outputOf(result));
    expect((await core.invoke("fails", { idempotencyKey: "f" })).executionId).toBe(failed.executionId);
    await expect(core.invoke("talks", { ...key, input: 1 })).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("joins an execution that was running when the server stopped", async () => {
    await core.close();
    await open({ WEFT_STOP_GRACE_MS: "10" });
    const first = await core.invoke("talks", { ...key, input: 700 });
    await core.close();
    await open();
    const again = await core.invoke("talks", { ...key, input: 700 });
    expect(again.executionId).toBe(first.executionId);
    expect(await again.result).toMatchObject({ status: "completed" });
  });

  test("hears of an end no sooner than it is on the disk", async () => {
    const first = await core.invoke("talks", { ...key, input: 1 });
    await first.result;
    const disk = Promise.withResolvers<void>();
    const renew = core.store.renew.bind(core.store);
    const spy = vi.spyOn(core.store, "renew").mockImplementation((params) => disk.promise.then(() => renew(params)));
    let isTold = false;
    const again = await core.invoke("talks", { ...key, input: 1 });
    const told = again.result.then(() => {
      isTold = true;
    });
    await expect.poll(() => spy.mock.calls.some(([{ leases }]) => leases.length === 0)).toBe(true);
    expect(isTold).toBe(false);
    disk.resolve();
    await told;
  });

  test("of another account is another execution", async () => {
    const accountId = "account-2";
    await core.deploy("pure", "export async function execute(ctx) { return ctx.input }", { accountId });
    const mine = await core.invoke("pure", { idempotencyKey: "k", input: 1 });
    const theirs = await core.invoke("pure", { idempotencyKey: "k", input: 2, accountId });
    expect(await mine.result).toMatchObject({ output: "1" });
    expect(await theirs.result).toMatchObject({ output: "2" });
  });
});

test("another body, workflow or version with the same key is refused, whether the first runs or is over", async () => {
  const first = await core.invoke("talks", key);
  const refused = { code: "CONFLICT", message: expect.stringContaining('Idempotency-Key "k"') };
  const others = [
    core.invoke("talks", { ...key, input: 201 }),
    core.invoke("talks", { ...key, metadata: { a: 1 } }),
    core.invoke("pure", key),
  ];
  for (const other of others) await expect(other).rejects.toMatchObject(refused);
  await first.result;
  await expect(core.invoke("pure", key)).rejects.toMatchObject(refused);
});

test("a call with a key reads the result cache and writes it", async () => {
  const first = await core.invoke("pure", { idempotencyKey: "a", input: 1 });
  await first.result;
  const second = await core.invoke("pure", { idempotencyKey: "b", input: 1 });
  expect([first.cache, second.cache]).toEqual(["miss", "hit"]);
  const again = await core.invoke("pure", { idempotencyKey: "b", input: 1 });
  expect(again.executionId).toBe(second.executionId);
  await expect(core.invoke("pure", { idempotencyKey: "b", input: 2 })).rejects.toMatchObject({ code: "CONFLICT" });
});

test("keys expire, and are then taken away", async () => {
  await core.close();
  await open({ WEFT_IDEMPOTENCY_TTL_MS: "3000" });
  const { accountId, store } = core;
  const first = await core.invoke("talks", { ...key, input: 1 });
  await first.result;
  const find = async () => (await store.findExecution({ accountId, executionId: first.executionId }))?.idempotencyKey;
  expect(await find()).toBe("k");
  await expect.poll(find).toBeNull();
  const second = await core.invoke("talks", { ...key, input: 2 });
  expect(second.executionId).not.toBe(first.executionId);
  await second.result;
});

describe("whoever joins and leaves", () => {
  const state = async (executionId: string) =>
    (await core.store.findExecution({ accountId: core.accountId, executionId }))?.state.status;

  test("stops nothing that was asked for in the background, also when that waits in the store", async () => {
    const body = { idempotencyKey: "p", input: 60_000 };
    const first = await core.invoke("talks", { ...body, mode: "background" });
    await expect.poll(() => state(first.executionId)).toBe("waiting");
    const joined = await core.invoke("talks", { ...body, mode: "stream", onDisconnect: "cancel" });
    expect(joined).toMatchObject({ executionId: first.executionId, onDisconnect: "cancel" });
    await joined.cancel();
    expect(await state(first.executionId)).toBe("waiting");
    await core.engine.cancel({ accountId: core.accountId, executionId: first.executionId });
  });

  test("stops nothing that another one then asked for in the background", async () => {
    const body = { idempotencyKey: "b", input: 3_000 };
    const first = await core.invoke("talks", { ...body, mode: "stream", onDisconnect: "cancel" });
    const joined = await core.invoke("talks", { ...body, mode: "background" });
    await first.cancel();
    expect(await joined.result).toMatchObject({ status: "completed" });
  });
});

describe("while a call with a key waits for a place", () => {
  beforeEach(async () => {
    await core.close();
    await open({ WEFT_MAX_CONCURRENT: "1" });
  });

  test("others join it, one in the background once it has begun", async () => {
    const busy = await core.invoke("talks", { input: 300 });
    const waiting = await core.invoke("talks", { ...key, mode: "stream" });
    const { accountId, engine } = core;
    const shown = await engine.findExecution({ accountId, executionId: waiting.executionId });
    expect(shown.state.status).toBe("queued");
    const joined = await core.invoke("talks", { ...key, mode: "background" });
    expect(joined.executionId).toBe(waiting.executionId);
    const found = await core.store.findExecution({ accountId, executionId: joined.executionId });
    expect(found?.state.status).toBe("running");
    const results = await Promise.all([waiting.result, joined.result, busy.result]);
    expect(results.map((result) => result.status)).toEqual(Array(3).fill("completed"));
  });

  test("it ends at its own timeout", async () => {
    const busy = await core.invoke("talks", { input: 800 });
    const waiting = await core.invoke("talks", { ...key, timeoutMs: 100 });
    expect(await waiting.result).toMatchObject({ status: "failed", error: { code: "EXECUTION_TIMEOUT" } });
    expect(await core.invoke("talks", key)).toMatchObject({ executionId: waiting.executionId });
    await busy.result;
  });
});
