import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPlans } from "../../src/engine/plans.ts";
import { applyRetention } from "../../src/engine/retention.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { makeDataDir } from "../support/data-dir.ts";
import { untilStatus } from "./waiting.ts";

let core: TestCore;
beforeEach(async () => {
  core = await startTestCore();
});
afterEach(() => core.close());

const sweep = (retention: { ageMs: number | null; runs: number | null }, now = Date.now()) =>
  applyRetention(
    {
      ...core,
      endShort: core.engine.cancel,
      planOf: createPlans(),
      report: () => undefined,
      isOpen: () => true,
      settings: { retention },
    },
    now,
  );
const list = async (ref: string) => {
  const query = { accountId: core.accountId, ref, filter: {}, limit: 100, offset: 0, cursor: null };
  return (await core.engine.listExecutions(query)).items;
};
const NONE = { ageMs: null, runs: null };
const LEAF = "export const execute = (ctx) => ctx.input;";

describe("retention", () => {
  test("keeps everything while nobody says otherwise", async () => {
    await core.deploy("leaf", LEAF);
    await core.run("leaf", { input: 1 });
    expect(await sweep(NONE, Date.now() + 1e12)).toBe(0);
    expect(await list("leaf")).toHaveLength(1);
  });

  test("by age takes what ended before, and leaves what goes on", async () => {
    await core.deploy("leaf", LEAF);
    await core.deploy("naps", `export const execute = (ctx) => ctx.sleep("1h");`);
    await core.run("leaf", { input: 1 });
    const waiting = await core.invoke("naps", { mode: "background" });
    expect(await sweep({ ageMs: 60_000, runs: null })).toBe(0);
    expect(await sweep({ ageMs: 60_000, runs: null }, Date.now() + 61_000)).toBe(1);
    expect(await list("leaf")).toEqual([]);
    expect((await list("naps")).map((run) => run.id)).toEqual([waiting.executionId]);
    await core.engine.cancel({ accountId: core.accountId, executionId: waiting.executionId });
  });

  test("by count keeps the newest of each workflow; what a run called goes with it and is not counted", async () => {
    await core.deploy("leaf", LEAF);
    await core.deploy(
      "tree",
      `export const execute = async (ctx) => (await ctx.workflow.completions.create({ model: "workflow:leaf", input: ctx.input })).output;`,
    );
    for (const input of [1, 2, 3]) await core.run("tree", { input, cache: "no-store" });
    await core.run("leaf", { input: 9, cache: "no-store" });
    const [newest] = await list("tree");
    expect(await sweep({ ageMs: null, runs: 1 })).toBe(2);
    expect((await list("tree")).map((run) => run.id)).toEqual([newest?.id]);
    expect(await list("leaf")).toHaveLength(2);
  });

  test("is what the script says where it says something", async () => {
    await core.deploy("strict", `export const config = { retention: { age: "1s", runs: 2 } };\n${LEAF}`);
    await core.deploy("free", LEAF);
    for (const input of [1, 2, 3]) {
      await core.run("strict", { input });
      await core.run("free", { input });
    }
    expect(await sweep(NONE)).toBe(1);
    expect(await list("free")).toHaveLength(3);
    expect(await sweep({ ageMs: 60_000, runs: null }, Date.now() + 2_000)).toBe(2);
    expect(await list("free")).toHaveLength(3);
  });

  test("is what the API chose, before the script", async () => {
    await core.deploy("strict", `export const config = { retention: { runs: 1 } };\n${LEAF}`);
    const change = (retention: { ageMs: number | null; runs: number | null } | null) =>
      core.workflows.update({ accountId: core.accountId, key: "strict", settings: { retention } });
    await change({ ageMs: null, runs: 2 });
    for (const input of [1, 2, 3]) await core.run("strict", { input });
    expect(await sweep(NONE)).toBe(1);
    await change({ ageMs: 1_000, runs: null });
    expect(await sweep(NONE)).toBe(1);
    expect(await sweep(NONE, Date.now() + 60_000)).toBe(1);
    await change(null);
    await expect(change({ ageMs: 0, runs: null })).rejects.toThrow("retention.age: must be from 1");
  });

  test("that cannot be used is refused at upload", async () => {
    const config = (text: string) => core.deploy("bad", `export const config = { retention: ${text} };\n${LEAF}`);
    await expect(config("{ runs: -1 }")).rejects.toThrow(
      "config.retention.runs: must be a whole number that is not negative, got -1",
    );
    await expect(config("{ days: 3 }")).rejects.toThrow("config.retention.days");
  });
});

test("a run that has waited for money as long as runs are kept has failed", async () => {
  const dir = await makeDataDir();
  const environment = { WEFT_DATA_DIR: dir.path, WEFT_RETENTION_MAX_AGE_MS: "50" };
  const first = await startTestCore(environment);
  await first.deploy(
    "poor",
    `export const config = { budget: { calls: 0 } };
    export const execute = (ctx) => ctx.chat.completions.create({ messages: [{ role: "user", content: "hi" }] });`,
  );
  const called = await first.invoke("poor");
  expect(await called.result).toMatchObject({ error: { code: "BUDGET_EXCEEDED" } });
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, 60));
  // It looks at everything when it starts.
  const second = await startTestCore(environment);
  const { accountId } = second;
  await untilStatus(second, called.executionId, "failed");
  const { state } = await second.engine.findExecution({ accountId, executionId: called.executionId });
  expect(state).toMatchObject({
    error: { code: "BUDGET_EXCEEDED", message: expect.stringContaining("nothing was added") },
  });
  await second.close();
  await dir.remove();
});
