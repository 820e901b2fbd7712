import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";

let core: TestCore;

beforeAll(async () => {
  core = await startTestCore({ WEFT_MAX_CONCURRENT: "2", WEFT_MAX_QUEUED: "3", WEFT_MAX_NESTED: "20" });
  await core.deploy(
    "leaf",
    "export async function execute(ctx) { await ctx.sleep(20); return { leaf: ctx.input, at: Math.random() } }",
  );
  await core.deploy(
    "parent",
    `export async function execute(ctx) {
      const calls = Array.from({ length: ctx.input }, (_, n) => ctx.workflow.completions.create({ model: "workflow:leaf", input: n }));
      return (await Promise.all(calls)).map((reply) => reply.output.leaf);
    }`,
  );
  await core.deploy(
    "deep",
    'export async function execute(ctx) { return (await ctx.workflow.completions.create({ model: "workflow:deep", input: ctx.input + 1 })).output }',
  );
  await core.deploy("fails", 'export async function execute() { throw new Error("child is broken") }');
  await core.deploy(
    "catches",
    "export async function execute(ctx) { try { await ctx.workflow.completions.create({ model: ctx.input }) } catch (error) { return { name: error.name, code: error.code, message: error.message } } }",
  );
});

afterAll(async () => {
  await core.close();
  expect(core.reported).toEqual([]);
});

test("parents that fill all places do not keep their children from running", async () => {
  const results = await Promise.all([
    core.run("parent", { input: 3 }),
    core.run("parent", { input: 3 }),
    core.run("parent", { input: 3 }),
  ]);
  expect(results.map((result) => result.status === "completed" && result.output)).toEqual(Array(3).fill("[0,1,2]"));
});

test("children are executions of their own that name their parent", async () => {
  const invocation = await core.invoke("parent", { input: 1, cache: "no-store" });
  await invocation.result;
  const { accountId } = core;
  const { items } = await core.engine.listExecutions({
    accountId,
    ref: "leaf",
    filter: {},
    limit: 1,
    offset: 0,
    cursor: null,
  });
  expect(items[0]).toMatchObject({ mode: "nested", parentId: invocation.executionId, depth: 1 });
});

test("nesting deeper than the limit fails in the parent, naming the limit", async () => {
  const result = await core.run("deep", { input: 0 });
  expect(result).toMatchObject({
    status: "failed",
    error: { message: expect.stringContaining("over 8 (maxNesting)") },
  });
});

test("too many nested executions below one call are refused, naming the limit", async () => {
  const result = await core.run("parent", { input: 30 });
  expect(result).toMatchObject({
    status: "failed",
    error: { message: expect.stringContaining("over 20 (WEFT_MAX_NESTED)") },
  });
});

test("a child's failure can be caught by the parent", async () => {
  const result = await core.run("catches", { input: "workflow:fails" });
  expect(result).toMatchObject({ output: expect.stringContaining("child is broken") });
});

test.each([
  ["workflow:nobody", "Workflow not found: nobody"],
  ["workflow:leaf@7.0.0", "Version not found: leaf@7.0.0"],
  ["gpt-4", "must be"],
])("the model %s is refused inside the script", async (model, message) => {
  expect(await core.run("catches", { input: model })).toMatchObject({ output: expect.stringContaining(message) });
});

test("a child ends with its parent", async () => {
  await core.deploy("endless", "export async function execute(ctx) { await ctx.sleep(4000); return 1 }");
  await core.deploy(
    "leaves",
    'export async function execute(ctx) { ctx.workflow.completions.create({ model: "workflow:endless" }).catch(() => {}); await ctx.sleep(100); return 1 }',
  );
  expect(await core.run("leaves")).toMatchObject({ status: "completed" });
  const { accountId } = core;
  const list = () =>
    core.engine.listExecutions({ accountId, ref: "endless", filter: {}, limit: 1, offset: 0, cursor: null });
  await expect.poll(async () => (await list()).items[0]?.state.status).toBe("cancelled");
});

test("calls beyond places and queue are refused as OVERLOADED, and later ones get in", async () => {
  const calls = Array.from({ length: 8 }, (_, input) => core.invoke("leaf", { input }).then((one) => one.result));
  const results = await Promise.allSettled(calls);
  const refused = results.filter((result) => result.status === "rejected");
  expect(refused).toHaveLength(3);
  expect(refused[0]?.reason).toMatchObject({ code: "OVERLOADED", retryable: true, details: { retry_after: 1 } });
  expect(await core.run("leaf", { input: 99 })).toMatchObject({ status: "completed" });
});

test("a call that waits for a place can be cancelled", async () => {
  const busy = await Promise.all([core.invoke("leaf", { input: "a" }), core.invoke("leaf", { input: "b" })]);
  const waiting = await core.invoke("leaf", { input: "c" });
  await waiting.cancel();
  expect(await waiting.result).toMatchObject({ status: "cancelled" });
  await Promise.all(busy.map((one) => one.result));
});
