import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { loadAgent } from "../../../src/engine/agents/load-agent.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { type DataDir, makeDataDir } from "../../support/data-dir.ts";
import { type ModelStub, type StubAnswer, startModelStub } from "../../support/model-stub.ts";

import { writeModels } from "../budgets/spending-core.ts";

type Json = Readonly<Record<string, unknown>>;

let core: TestCore;
let stub: ModelStub;
let dir: DataDir;

beforeAll(async () => {
  stub = await startModelStub();
  dir = await makeDataDir();
  core = await startTestCore({
    OPENAI_API_KEY: "sk-test-key-of-agents",
    OPENAI_BASE_URL: stub.url,
    WEFT_DATA_DIR: dir.path,
    WEFT_MODELS: await writeModels(dir.path, stub),
  });
  await core.deploy("rate", "export const execute = (ctx) => ({ rate: ctx.input.of === 'usd' ? 1.08 : 1 })");
});
beforeEach(() => stub.always({ content: "done" }));
afterAll(async () => {
  await core.close();
  await stub.close();
  await dir.remove();
  expect(core.reported).toEqual([]);
});

const calls = (name: string, args: string): StubAnswer => ({ toolCalls: [{ name, arguments: args }] });

const put = (definition: Json, more: { activate?: boolean; expects?: "new" | "any" } = {}) =>
  core.services.agents.put({
    accountId: core.accountId,
    definition,
    notes: "",
    activate: more.activate ?? true,
    expects: more.expects ?? "any",
  });

let deployed = 0;

async function run(body: string, input: unknown = null): Promise<unknown> {
  const ref = `asks-${deployed++}`;
  await core.deploy(ref, `export async function execute(ctx) { ${body} }`);
  const result = await core.run(ref, { input, messages: [{ role: "user", content: "hi" }] });
  return result.status === "completed" ? JSON.parse(result.output) : result.error;
}

const lastBody = () => (stub.calls.at(-1)?.body ?? {}) as Json & { readonly messages: readonly Json[] };

test("an agent answers with its prompt, model, parameters and tools; a call may say otherwise", async () => {
  const tool = { type: "workflow", ref: "rate" };
  await put({
    name: "teller",
    system_prompt: "Be brief.",
    model: "m-1",
    params: { temperature: 0.2, top_p: 0.5 },
    tools: [tool],
  });
  stub.script(calls("rate", '{"of":"usd"}'), { content: "1.08" });
  const output = await run(`return ctx.agents.completions.create({ agent: "teller", top_p: 0.9 })`);
  expect(output).toMatchObject({
    agent: "teller",
    agent_version: 1,
    choices: [{ message: { content: "1.08" } }],
    usage: { total_tokens: 30 },
    iterations: 2,
  });
  expect(lastBody()).toMatchObject({ model: "m-1", temperature: 0.2, top_p: 0.9 });
  expect(lastBody().messages).toMatchObject([
    { role: "system", content: "Be brief." },
    { role: "user", content: "hi" },
    { role: "assistant" },
    { role: "tool", content: '{"rate":1.08}' },
  ]);
  expect(await run(`return ctx.agents.run("teller@1", "short?", { temperature: 1 })`)).toBe("done");
  expect(lastBody()).toMatchObject({ temperature: 1, messages: [{}, { role: "user", content: "short?" }] });
});

test("what the model calls cost is summed by this server's prices, whatever the model server says", async () => {
  await put({ name: "priced", model: "priced", tools: [{ type: "workflow", ref: "rate" }] });
  stub.script(calls("rate", "{}"), { content: "x" });
  const { cost_usd: cost } = (await run(`return ctx.agents.completions.create({ agent: "priced" })`)) as Json;
  // Twice 10 and 5 tokens, a dollar a million.
  expect(cost).toBeCloseTo(0.00003, 12);
});

test("a budget that is used up ends the execution; no model is told of it as a tool's failure", async () => {
  stub.always({ toolCalls: [{ name: "think", arguments: "{}" }] });
  const before = stub.calls.length;
  await core.deploy(
    "poor",
    `export const config = { budget: { calls: 2 } };
     export const execute = (ctx) => {
       const think = { name: "think", execute: () => ctx.chat.completions.create({ model: "priced" }) };
       return ctx.chat.completions.runTools({ model: "priced", tools: [think] });
     };`,
  );
  const result = await core.run("poor", { messages: [{ role: "user", content: "x" }] });
  expect(result).toMatchObject({ status: "failed", error: { code: "BUDGET_EXCEEDED" } });
  expect(stub.calls.length - before).toBe(2);
});

test("a script adds its own functions to an agent's tools", async () => {
  await put({ name: "mixed", tools: [{ type: "workflow", ref: "rate" }] });
  stub.script(calls("mine", "{}"));
  await run(`return ctx.agents.run("mixed", "go", { tools: [{ name: "mine", execute: () => "from the script" }] })`);
  const tools = lastBody()["tools"] as readonly { readonly function: Json }[];
  expect(tools.map((tool) => tool.function["name"])).toEqual(["rate", "mine"]);
  expect(lastBody().messages.at(-1)).toMatchObject({ role: "tool", content: "from the script" });
});

test("what a workflow says of its input is what the model is told of its tool", async () => {
  await core.deploy(
    "typed",
    `export const inputSchema = { city: { type: "string", required: true } }; export const execute = () => 1;`,
    { settings: { description: "Knows cities." } },
  );
  await put({ name: "guide", tools: [{ type: "workflow", ref: "typed", name: "city" }] });
  await run(`return ctx.agents.run("guide", "x")`);
  expect(lastBody()["tools"]).toEqual([
    {
      type: "function",
      function: {
        name: "city",
        description: "Knows cities.",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ]);
});

test("a call keeps the version that it began with", async () => {
  await put({ name: "changing", system_prompt: "one" });
  await put({ name: "changing", system_prompt: "two" }, { activate: false });
  expect(await run(`return (await ctx.agents.completions.create({ agent: "changing" })).agent_version`)).toBe(1);
  expect(await run(`return (await ctx.agents.completions.create({ agent: "changing@2" })).agent_version`)).toBe(2);
  expect(lastBody().messages[0]).toEqual({ role: "system", content: "two" });
  await core.services.agents.activate({ accountId: core.accountId, key: "changing", number: 2 });
  expect(await run(`return (await ctx.agents.completions.create({ agent: "changing" })).agent_version`)).toBe(2);
});

test("max_iterations of the agent or the call ends the loop with its name", async () => {
  await put({ name: "endless", max_iterations: 2, tools: [{ type: "workflow", ref: "rate" }] });
  stub.always(calls("rate", "{}"));
  const told = `.catch((error) => error.message)`;
  expect(await run(`return ctx.agents.run("endless", "x")${told}`)).toBe(
    'agent "endless": the model has not come to an end after 2 calls (max_iterations)',
  );
  expect(await run(`return ctx.agents.run("endless", "x", { max_iterations: 1 })${told}`)).toMatch(/after 1 calls/);
});

test("execution_mode: a plan first, a tool's result as the answer, or no tools at all", async () => {
  await put({ name: "modes", tools: [{ type: "workflow", ref: "rate" }] });
  stub.script({ content: "1. Look." }, { content: "So be it." });
  expect(await run(`return ctx.agents.run("modes", "x", { execution_mode: "reasoning" })`)).toBe("So be it.");
  const [planned, acted] = stub.calls.slice(-2).map(({ body }) => body);
  expect(planned?.["tools"]).toBeUndefined();
  expect(acted?.["messages"]).toMatchObject([
    { role: "user" },
    { role: "assistant", content: "1. Look." },
    { role: "user" },
  ]);
  stub.script(calls("rate", '{"of":"usd"}'));
  const before = stub.calls.length;
  expect(await run(`return ctx.agents.run("modes", "x", { execution_mode: "route" })`)).toBe('{"rate":1.08}');
  expect(stub.calls.length - before).toBe(1);
  expect(lastBody()["tool_choice"]).toBe("required");
  expect(await run(`return ctx.agents.run("modes", "x", { execution_mode: "direct" })`)).toBe("done");
  expect(lastBody()["tools"]).toBeUndefined();
  const refused = await run(
    `return ctx.agents.run("modes", "x", { execution_mode: "odd" }).catch((error) => error.code)`,
  );
  expect(refused).toBe("INVALID_ARGUMENT");
});

test("structured output of the definition is parsed and checked", async () => {
  const schema = { type: "object", required: ["ok"], properties: { ok: { type: "boolean" } } };
  await put({ name: "strict", response_format: { type: "json_schema", json_schema: { name: "x", schema } } });
  stub.script({ content: "{}" }, { content: '{"ok":true}' });
  const output = await run(
    `return (await ctx.agents.completions.create({ agent: "strict" })).choices[0].message.parsed`,
  );
  expect(output).toEqual({ ok: true });
});

test("an agent that does not exist is told by name and can be caught", async () => {
  const output = await run(`return ctx.agents.run("nobody", "x").catch((error) => [error.code, error.message])`);
  expect(output).toEqual([
    "INVALID_ARGUMENT",
    'agents: there is no agent "nobody"; PUT /api/v1/agents/<name> makes one',
  ]);
  expect(await run(`return ctx.agents.run(7, "x").catch((error) => error.code)`)).toBe("INVALID_ARGUMENT");
});

test("an agent of another account does not exist", async () => {
  await put({ name: "private" });
  const accountId = "another account";
  await expect(loadAgent({ accountId, key: "private" }, core.store)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
  await expect(core.agents.find({ accountId, key: "private" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(core.agents.toCall({ accountId, key: "private" })).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("each model call and each tool call is a ctx call in the trace", async () => {
  await put({ name: "traced", tools: [{ type: "workflow", ref: "rate" }] });
  stub.script(calls("rate", "{}"));
  await core.deploy("traced", `export const execute = (ctx) => ctx.agents.run("traced", "x")`);
  const { executionId, result } = await core.invoke("traced", { input: 1 });
  await result;
  const { accountId } = core;
  const { spans } = await core.engine.readTrace({ accountId, executionId, from: 0, limit: 50, maxChars: 100 });
  expect(spans.map(({ op }) => op)).toEqual([
    "agents.load",
    "chat.completions.create",
    "workflow.completions.create",
    "chat.completions.create",
  ]);
});

test("definitions that are wrong are refused, naming the field", async () => {
  const refused = async (definition: Json) =>
    put({ name: "wrong", ...definition }).then(
      () => "stored",
      (error: { message: string; code: string }) => `${error.code} ${error.message}`,
    );
  expect(await refused({ name: "a b" })).toMatch(/^INVALID_REQUEST name: must be 1 to 64 letters/);
  expect(await refused({ name: `agent_${"0".repeat(32)}` })).toMatch(/^INVALID_REQUEST name: /);
  expect(await refused({ prompt: "x" })).toMatch(/^INVALID_REQUEST prompt: is no field of an agent/);
  expect(await refused({ tools: [{ type: "http", name: "x" }] })).toMatch(
    /^INVALID_REQUEST tools\[0\].request: is required/,
  );
  expect(await refused({ tools: [{ type: "__proto__" }] })).toMatch(/^INVALID_REQUEST tools\[0\].type: must be one of/);
  expect(
    await refused({
      tools: [
        { type: "workflow", ref: "a", name: "x" },
        { type: "workflow", ref: "b", name: "x" },
      ],
    }),
  ).toMatch(/^INVALID_REQUEST tools\[1\].name: is the name of an earlier tool/);
  expect(await refused({ params: { messages: [] } })).toMatch(/^INVALID_REQUEST params.messages: /);
  expect(await refused({ max_iterations: 0 })).toMatch(/^INVALID_REQUEST max_iterations: /);
  expect(await refused({ response_format: { type: "xml" } })).toMatch(/^INVALID_REQUEST response_format: /);
  expect(await refused({ system_prompt: "x".repeat(300_000) })).toMatch(
    /^PAYLOAD_TOO_LARGE agent: 300\d+ bytes as JSON, over 262144/,
  );
});
