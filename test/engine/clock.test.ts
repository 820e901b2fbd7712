import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";

let dir: DataDir;
let core: TestCore;

const open = async () => {
  core = await startTestCore({ WEFT_DATA_DIR: dir.path, WEFT_MAX_CONCURRENT: "1", WEFT_STOP_GRACE_MS: "20" });
};

beforeEach(async () => {
  dir = await makeDataDir();
  await open();
  await core.deploy("naps", "export async function execute(ctx) { await ctx.sleep(ctx.input); return 1 }");
  await core.deploy("tiny", "export async function execute() { return 1 }");
  await core.deploy(
    "reads",
    `export async function execute(ctx) {
      const from = Date.now();
      await ctx.workflow.completions.create({ model: "workflow:tiny" });
      await ctx.sleep(ctx.input);
      return from;
    }`,
  );
});

afterEach(async () => {
  expect(core.reported).toEqual([]);
  await core.close();
  await dir.remove();
});

const find = (executionId: string) => core.engine.findExecution({ accountId: core.accountId, executionId });
const WAIT_MS = 400;

test("the clock of a call that waited for a place starts when it begins, also for its sleeps", async () => {
  const busy = await core.invoke("naps", { input: WAIT_MS });
  const waited = await core.invoke("reads", { input: 300 });
  expect(await waited.result).toMatchObject({ status: "completed" });
  const { state, createdAt } = await find(waited.executionId);
  if (state.status !== "completed") throw new Error(state.status);
  expect(state.startedAt - createdAt).toBeGreaterThan(WAIT_MS / 2);
  expect(Number(state.output)).toBe(state.startedAt);
  expect(state.finishedAt - state.startedAt).toBeGreaterThanOrEqual(300);
  await busy.result;
});

test("an execution that waited for a place and is resumed by the next server has the same clock", async () => {
  const busy = await core.invoke("naps", { input: WAIT_MS });
  const waited = await core.invoke("reads", { input: 1_500 });
  await busy.result;
  const statusOf = async (ref: string) =>
    (
      await core.engine.listExecutions({
        accountId: core.accountId,
        ref,
        filter: {},
        limit: 1,
        offset: 0,
        cursor: null,
      })
    ).items[0]?.state.status;
  await expect.poll(() => statusOf("tiny")).toBe("completed");
  await core.close();
  await open();
  await expect.poll(async () => (await find(waited.executionId)).state.status).toMatch(/completed|failed/);
  const { state, createdAt } = await find(waited.executionId);
  if (state.status !== "completed") throw new Error(state.status);
  expect(Number(state.output)).toBe(state.startedAt);
  expect(state.startedAt - createdAt).toBeGreaterThan(WAIT_MS / 2);
});

test("the timeout counts from the call for whoever waits, and from the start for a background call", async () => {
  const timeoutMs = 3_000;
  const busy = await core.invoke("naps", { input: 2_500 });
  const more = { input: 600, timeoutMs };
  const waiting = await core.invoke("naps", more);
  expect(await waiting.result).toMatchObject({
    status: "failed",
    error: { code: "EXECUTION_TIMEOUT", message: `The execution ran longer than its timeout of ${timeoutMs} ms.` },
  });
  const again = await core.invoke("naps", { input: WAIT_MS + 1 });
  const background = await core.invoke("naps", { ...more, input: 601, mode: "background" });
  expect(await background.result).toMatchObject({ status: "completed" });
  await Promise.all([busy.result, again.result]);
});
