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
  expect(await core.run("waits", { timeoutMs: 12_000 })).toMatchObject({ status: "completed", output: "1" });
}, 20_000);
