import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";

const TOKEN = "tok-very-secret-0123";
let core: TestCore;

beforeAll(async () => {
  core = await startTestCore();
});

afterAll(async () => {
  await core.close();
  expect(core.reported).toEqual([]);
});

test("a secret that a caller hands on inside the input is hidden in everything stored of the child", async () => {
  await core.deploy(
    "tells",
    `export async function execute(ctx) {
      console.log(ctx.input.t); ctx.emit("said", ctx.input.t);
      return { own: Object.keys(ctx.secrets), t: ctx.input.t };
    }`,
  );
  await core.deploy(
    "hands",
    `export async function execute(ctx) {
      const reply = await ctx.workflow.completions.create({ model: "workflow:tells", input: { t: ctx.secrets.token } });
      return { same: reply.output.t === ctx.secrets.token, own: reply.output.own };
    }`,
  );
  const result = await core.run("hands", { secrets: { token: TOKEN } });
  expect(result).toMatchObject({ status: "completed", output: JSON.stringify({ same: true, own: [] }) });
  const { accountId, engine } = core;
  const { items } = await engine.listExecutions({
    accountId,
    ref: "tells",
    filter: {},
    limit: 1,
    offset: 0,
    cursor: null,
  });
  const executionId = items[0]?.id ?? "";
  const page = { accountId, executionId, from: 0, limit: 10 };
  const stored = JSON.stringify([items, await engine.readLogs(page), await engine.readChunks(page)]);
  expect(stored).toContain("[secret token]");
  expect(stored).not.toContain(TOKEN);
  expect(items[0]).toMatchObject({ hasSecrets: true, cacheKey: null });
});
