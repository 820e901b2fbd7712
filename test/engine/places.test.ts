import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";

let core: TestCore;

beforeAll(async () => {
  core = await startTestCore({ WEFT_MAX_CONCURRENT: "1" });
});

afterAll(async () => {
  await core.close();
  expect(core.reported).toEqual([]);
});

test("a child that was parked goes on although its parent has the only place", async () => {
  await core.deploy("nap", "export async function execute(ctx) { await ctx.sleep(5050); return 1 }");
  await core.deploy(
    "waits",
    'export async function execute(ctx) { return (await ctx.workflow.completions.create({ model: "workflow:nap" })).output }',
  );
  expect(await core.run("waits", { timeoutMs: 30_000 })).toMatchObject({ status: "completed", output: "1" });
});

test("background runs that wait in the store leave memory, and still end and can be cancelled", async () => {
  await core.deploy("rests", "export async function execute(ctx) { await ctx.sleep(ctx.input); return ctx.input }");
  const { accountId, engine } = core;
  const begun = await Promise.all(
    Array.from({ length: 12 }, (_, n) => core.invoke("rests", { mode: "background", input: n === 0 ? 3_600_000 : 1 })),
  );
  const results = Promise.all(begun.slice(1).map((one) => one.result));
  expect((await results).map((result) => result.status)).toEqual(Array(11).fill("completed"));
  const [long] = begun;
  if (long === undefined) throw new Error("no run");
  const { executionId } = long;
  const find = async () => (await engine.findExecution({ accountId, executionId })).state.status;
  await expect.poll(find).toBe("waiting");
  await engine.cancel({ accountId, executionId });
  expect(await long.result).toMatchObject({ status: "cancelled" });
});

test("a call that waits for a place ends at its own timeout", async () => {
  const busy = await core.invoke("rests", { input: 1500 });
  const waiting = await core.invoke("rests", { input: 2, timeoutMs: 100 });
  expect(await waiting.result).toMatchObject({ status: "failed", error: { code: "EXECUTION_TIMEOUT" } });
  const { accountId, engine } = core;
  const found = await engine.findExecution({ accountId, executionId: busy.executionId });
  expect(found.state.status).toBe("running");
  await busy.result;
});

test("background calls with secrets, which wait in memory, count for WEFT_MAX_QUEUED; others wait in any number", async () => {
  const small = await startTestCore({ WEFT_MAX_CONCURRENT: "1", WEFT_MAX_QUEUED: "2" });
  await small.deploy("rests", "export async function execute(ctx) { await ctx.sleep(ctx.input); return 1 }");
  const busy = await small.invoke("rests", { input: 600 });
  const kept = { mode: "background", input: 1, secrets: { token: "abcdefgh" } } as const;
  const first = [await small.invoke("rests", kept), await small.invoke("rests", kept)];
  await expect(small.invoke("rests", kept)).rejects.toMatchObject({ code: "OVERLOADED" });
  await expect(small.invoke("rests", { input: 1 })).rejects.toMatchObject({ code: "OVERLOADED" });
  const plain = await Promise.all(
    Array.from({ length: 20 }, () => small.invoke("rests", { mode: "background", input: 1 })),
  );
  for (const one of [busy, ...first, ...plain]) expect(await one.result).toMatchObject({ status: "completed" });
  expect(await (await small.invoke("rests", kept)).result).toMatchObject({ status: "completed" });
  await small.close();
});
