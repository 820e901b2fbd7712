import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";
import { rejectionOf } from "../support/thrown.ts";

let core: TestCore;

beforeAll(async () => {
  core = await startTestCore();
  await core.deploy(
    "echo",
    "export async function execute(ctx) { return { got: ctx.input, text: ctx.messages.length } }",
  );
  await core.deploy(
    "slow",
    "export async function execute(ctx) { await ctx.sleep(ctx.input?.ms ?? 60000); return Date.now() }",
  );
  await core.deploy(
    "boom",
    "export async function execute() {\n  const n = null as unknown as { a: 1 };\n  return n.a;\n}",
  );
});

afterAll(async () => {
  await core.close();
  expect(core.reported).toEqual([]);
});

const find = (executionId: string) => core.engine.findExecution({ accountId: core.accountId, executionId });

describe("a call", () => {
  test("runs and is stored before its result settles", async () => {
    const invocation = await core.invoke("echo", { input: [1], cache: "no-store" });
    expect(await invocation.result).toMatchObject({ status: "completed", output: '{"got":[1],"text":0}' });
    const { state, mode, requestId } = await find(invocation.executionId);
    expect(state).toMatchObject({ status: "completed", cached: false, output: '{"got":[1],"text":0}' });
    expect([mode, requestId]).toEqual(["sync", invocation.requestId]);
  });

  test("without input gets null", async () => {
    expect(await core.run("echo", { messages: [{ role: "user", content: "x" }] })).toMatchObject({
      output: '{"got":null,"text":1}',
    });
  });

  test("of an unknown workflow or version is refused before anything runs", async () => {
    expect(await rejectionOf(core.invoke("nope"))).toMatchObject({ code: "WORKFLOW_NOT_FOUND", status: 404 });
    const error = await rejectionOf(core.invoke("echo", { version: "9.9.9" }));
    expect(error).toMatchObject({ code: "VERSION_NOT_FOUND", message: "Version not found: echo@9.9.9" });
  });

  test("names a version, or the newest one as draft", async () => {
    await core.deploy("two", "export async function execute() { return 1 }");
    await core.deploy("two", "export async function execute() { return 2 }", { publish: false });
    expect(await core.run("two")).toMatchObject({ output: "1" });
    expect(await core.run("two", { version: "1.0.0" })).toMatchObject({ output: "1" });
    expect(await core.run("two", { version: "1.1.0" })).toMatchObject({ output: "2" });
    expect(await core.run("two", { version: "draft" })).toMatchObject({ output: "2" });
  });

  test("that throws fails with the author's file, line and column", async () => {
    const invocation = await core.invoke("boom");
    const result = await invocation.result;
    expect(result).toMatchObject({
      status: "failed",
      error: { code: "EXECUTION_FAILED", details: { file: "boom.ts", line: 3 } },
    });
    expect(JSON.stringify(result)).not.toContain("weft:");
    expect((await find(invocation.executionId)).state).toMatchObject({ status: "failed" });
  });

  test("longer than its timeout ends with EXECUTION_TIMEOUT, naming it", async () => {
    const result = await core.run("slow", { timeoutMs: 150 });
    expect(result).toMatchObject({ status: "failed", error: { code: "EXECUTION_TIMEOUT" } });
    expect(JSON.stringify(result)).toContain("150 ms");
  });

  test("gets the least of server's, workflow's, script's and its own timeout", async () => {
    await core.deploy(
      "capped",
      'export const config = { timeout: "100ms" };\nexport async function execute(ctx) { await ctx.sleep(9000) }',
    );
    expect(await core.run("capped", { timeoutMs: 50_000 })).toMatchObject({ error: { code: "EXECUTION_TIMEOUT" } });
    const { executionId, result } = await core.invoke("capped", { timeoutMs: 50_000 });
    await result;
    expect((await find(executionId)).timeoutMs).toBe(100);
  });

  test("can be cancelled while it runs", async () => {
    const invocation = await core.invoke("slow", { input: { ms: 4000 } });
    await invocation.cancel();
    expect(await invocation.result).toMatchObject({ status: "cancelled", error: { code: "EXECUTION_CANCELLED" } });
    expect((await find(invocation.executionId)).state.status).toBe("cancelled");
  });

  test("can be cancelled while it waits in the store", async () => {
    const invocation = await core.invoke("slow", { input: { ms: 3_600_000 }, mode: "background" });
    await expect.poll(async () => (await find(invocation.executionId)).state.status).toBe("waiting");
    await core.engine.cancel({ accountId: core.accountId, executionId: invocation.executionId });
    expect(await invocation.result).toMatchObject({ status: "cancelled" });
    expect((await find(invocation.executionId)).state.status).toBe("cancelled");
  });

  test("in the background is stored when the caller hears of it and runs afterwards", async () => {
    const invocation = await core.invoke("echo", { mode: "background", input: "bg", cache: "no-store" });
    expect((await find(invocation.executionId)).mode).toBe("background");
    expect(await invocation.result).toMatchObject({ output: '{"got":"bg","text":0}' });
  });

  test("is listed by workflow and status", async () => {
    const query = { accountId: core.accountId, ref: "boom", limit: 10, offset: 0, cursor: null };
    const failed = await core.engine.listExecutions({ ...query, filter: { statuses: ["failed"] } });
    expect(failed.items[0]).toMatchObject({ ref: "boom", state: { status: "failed" } });
    expect((await core.engine.listExecutions({ ...query, filter: { statuses: ["completed"] } })).total).toBe(0);
  });

  test("of another account is not found", async () => {
    const { executionId, result } = await core.invoke("echo");
    await result;
    const stranger = { accountId: "someone-else", executionId };
    expect((await rejectionOf(core.engine.findExecution(stranger))).code).toBe("EXECUTION_NOT_FOUND");
    expect((await rejectionOf(core.engine.readLogs({ ...stranger, from: 0, limit: 1 }))).code).toBe(
      "EXECUTION_NOT_FOUND",
    );
    expect((await rejectionOf(core.engine.cancel(stranger))).code).toBe("EXECUTION_NOT_FOUND");
  });
});

describe("input", () => {
  const script = (config: string) => `
    export const config = ${config};
    export const inputSchema = { type: "object", required: ["q"], properties: { q: { type: "string" } } };
    export async function execute(ctx) { return ctx.input }`;

  test("is checked against the schema where the script asks for it", async () => {
    await core.deploy("strict", script("{ validate_input: true }"));
    const error = await rejectionOf(core.invoke("strict", { input: { q: 1 } }));
    expect(error).toMatchObject({
      code: "VALIDATION_ERROR",
      details: { problems: [{ path: "/q", message: "must be string" }] },
    });
    expect(await core.run("strict", { input: { q: "x" } })).toMatchObject({ status: "completed" });
  });

  test("is checked where the workflow's setting asks for it, and not otherwise", async () => {
    await core.deploy("lax", script("{}"));
    expect(await core.run("lax", { input: 1 })).toMatchObject({ output: "1" });
    await core.workflows.update({ accountId: core.accountId, key: "lax", settings: { validateInput: true } });
    expect((await rejectionOf(core.invoke("lax", { input: 1 }))).code).toBe("VALIDATION_ERROR");
  });
});

describe("secrets", () => {
  test("reach the script and never the store", async () => {
    await core.deploy(
      "secret",
      "export async function execute(ctx) { return { token: ctx.secrets.token, input: ctx.input } }",
    );
    const secrets = { token: "s3cr3t-value" };
    const invocation = await core.invoke("secret", { secrets, input: "has s3cr3t-value inside" });
    expect(await invocation.result).toMatchObject({
      output: '{"token":"s3cr3t-value","input":"has s3cr3t-value inside"}',
    });
    expect(JSON.stringify(await find(invocation.executionId))).not.toContain("s3cr3t-value");
  });
});

describe("what is emitted", () => {
  test("reaches listeners and the store", async () => {
    await core.deploy(
      "emit",
      'export async function execute(ctx) { ctx.emit("step", { n: 1 }); ctx.write("Hel"); ctx.write("lo"); ctx.log.info("hi", { a: 1 }) }',
    );
    const invocation = await core.invoke("emit", { mode: "stream", cache: "no-store" });
    const seen: string[] = [];
    invocation.subscribe((chunks) => seen.push(...chunks.map((chunk) => chunk.content)));
    expect(await invocation.result).toMatchObject({ output: '"Hello"', content: "Hello", streamedText: true });
    expect(seen).toEqual(['{"n":1}', '"Hel"', '"lo"']);
    const query = { accountId: core.accountId, executionId: invocation.executionId, from: 1, limit: 10 };
    expect((await core.engine.readChunks(query)).map((chunk) => chunk.index)).toEqual([1, 2]);
    expect(await core.engine.readLogs({ ...query, from: 0 })).toMatchObject([{ message: "hi", level: "info" }]);
  });
});

test("runs that failed show what they and those they called had used", async () => {
  await core.deploy(
    "spends",
    `export async function execute(ctx) {
      await ctx.chat.completions.create({ messages: [{ role: "user", content: "many words" }] });
      throw new Error("spent");
    }`,
  );
  await core.deploy(
    "wasteful",
    `export const execute = (ctx) => ctx.workflow.completions.create({ model: "workflow:spends", input: 1 });`,
  );
  const wasteful = await core.invoke("wasteful");
  expect(await wasteful.result).toMatchObject({ status: "failed", error: { code: "EXECUTION_FAILED" } });
  expect((await find(wasteful.executionId)).usage.promptTokens).toBeGreaterThan(0);
});
