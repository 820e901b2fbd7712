import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { type ModelStub, type StubAnswer, startModelStub } from "../../support/model-stub.ts";

type Message = Readonly<Record<string, unknown>>;

let core: TestCore;
let stub: ModelStub;

beforeAll(async () => {
  stub = await startModelStub();
  core = await startTestCore({ OPENAI_API_KEY: "sk-test-key-of-loop", OPENAI_BASE_URL: stub.url });
});
beforeEach(() => stub.always({ content: "done" }));
afterAll(async () => {
  await core.close();
  await stub.close();
  expect(core.reported).toEqual([]);
});

const calls = (...toolCalls: readonly (readonly [name: string, args: string])[]): StubAnswer => ({
  toolCalls: toolCalls.map(([name, args]) => ({ name, arguments: args })),
});

let deployed = 0;

/** Runs a script whose execute has this body and gives its output, or the error. */
async function run(body: string, input: unknown = null): Promise<unknown> {
  const ref = `loop-${deployed++}`;
  await core.deploy(ref, `export async function execute(ctx) { ${body} }`);
  const result = await core.run(ref, { input, messages: [{ role: "user", content: "hi" }] });
  return result.status === "completed" ? JSON.parse(result.output) : result.error;
}

/** The conversation that the model was sent last. */
const conversation = () => stub.calls.at(-1)?.body["messages"] as readonly Message[];
const toolMessages = () => conversation().filter(({ role }) => role === "tool");

test("the model's calls are run until it answers, and usage is summed", async () => {
  stub.script(calls(["add", '{"a":2,"b":3}']));
  const output = await run(`
    const add = { name: "add", description: "Adds.", parameters: { type: "object", properties: { a: {}, b: {} } }, execute: ({ a, b }) => a + b };
    return ctx.chat.completions.runTools({ tools: [add], temperature: 0.5 });`);
  expect(output).toMatchObject({
    choices: [{ message: { role: "assistant", content: "done" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 },
    iterations: 2,
    messages: [{ role: "user" }, { role: "assistant" }, { role: "tool", content: "5" }, { content: "done" }],
  });
  const { body } = stub.calls.at(-1) ?? { body: {} };
  expect(body).toMatchObject({
    temperature: 0.5,
    tools: [{ type: "function", function: { name: "add", description: "Adds." } }],
  });
});

test("calls of one answer run at the same time, and their results come in the order of the calls", async () => {
  stub.script(calls(["meet", '{"n":1}'], ["meet", '{"n":2}'], ["meet", '{"n":3}']));
  const output = await run(`
    const log = [];
    const everyone = Promise.withResolvers();
    const meet = { name: "meet", execute: async ({ n }) => {
      log.push("+" + n);
      if (n === 3) everyone.resolve();
      await everyone.promise;
      await ctx.sleep(n === 1 ? 20 : 1);
      return "met " + n;
    } };
    await ctx.chat.completions.runTools({ tools: [meet] });
    return log;`);
  expect(output).toEqual(["+1", "+2", "+3"]);
  expect(toolMessages().map(({ content }) => content)).toEqual(["met 1", "met 2", "met 3"]);
});

test("with parallel_tool_calls: false they run one after another", async () => {
  stub.script(calls(["wait", '{"ms":20}'], ["wait", '{"ms":1}']));
  const output = await run(`
    const log = [];
    const wait = { name: "wait", execute: async ({ ms }) => { log.push("+" + ms); await ctx.sleep(ms); log.push("-" + ms); } };
    await ctx.chat.completions.runTools({ tools: [wait], parallel_tool_calls: false });
    return log;`);
  expect(output).toEqual(["+20", "-20", "+1", "-1"]);
});

test("a tool that does not exist, arguments that are no JSON or do not match, and a tool that throws are told to the model", async () => {
  stub.script(
    calls(
      ["constructor", "{}"],
      ["find", '{"id":'],
      ["find", "[1]"],
      ["find", '{"id":7}'],
      ["find", '{"id":"x"}'],
      ["find", ""],
    ),
  );
  const output = await run(`
    const parameters = { type: "object", properties: { id: { type: "string" } } };
    const find = { name: "find", parameters, execute: ({ id }) => { if (id === undefined) throw "only a text"; throw new TypeError("no record " + id); } };
    return (await ctx.chat.completions.runTools({ tools: [find] })).choices[0].message.content;`);
  expect(output).toBe("done");
  expect(toolMessages().map(({ content }) => content)).toEqual([
    'Error: there is no tool "constructor". The tools are: find',
    'Error: the arguments of find must be one JSON object, got: {"id":',
    "Error: the arguments of find must be one JSON object, got: [1]",
    "Error: the arguments of find do not match its parameters: /id: must be string, got number",
    "Error: find failed: no record x",
    "Error: find failed: only a text",
  ]);
  // Model servers refuse a conversation with arguments that are no JSON.
  const asked = conversation()[1]?.["tool_calls"] as readonly { readonly function: { readonly arguments: string } }[];
  expect(asked.map((call) => call.function.arguments)).toEqual(["{}", "{}", "{}", '{"id":7}', '{"id":"x"}', "{}"]);
});

test("the loop ends after max_steps calls of the model", async () => {
  stub.always(calls(["again", "{}"]));
  const output = await run(`
    let runs = 0;
    try { await ctx.chat.completions.runTools({ tools: [{ name: "again", execute: () => ++runs }], max_steps: 3 }); }
    catch (error) { return { name: error.name, code: error.code, message: error.message, details: error.details, runs }; }`);
  expect(output).toEqual({
    name: "LimitError",
    code: "LIMIT_EXCEEDED",
    message: "runTools: the model has not come to an end after 3 calls (max_steps)",
    details: { limit: "max_steps", value: 3 },
    runs: 3,
  });
});

test("of a flood of calls in one answer only the first are made, and the model is told so", async () => {
  stub.script(calls(...Array.from({ length: 10_000 }, (_, n) => ["count", `{"n":${n}}`] as const)));
  const output = await run(`
    let runs = 0;
    await ctx.chat.completions.runTools({ tools: [{ name: "count", execute: () => ++runs }] });
    return runs;`);
  expect(output).toBe(128);
  expect(toolMessages()).toHaveLength(128);
  expect(conversation()[1]?.["tool_calls"]).toHaveLength(128);
  expect(conversation().at(-1)).toMatchObject({
    role: "user",
    content: "Only the first 128 of your 10000 tool calls were made: an answer may have 128 (maxToolCalls).",
  });
});

test("a huge result is cut, and the model is told so", async () => {
  stub.script(calls(["dump", "{}"], ["odd", "{}"], ["nothing", "{}"]));
  await run(`
    const tools = [
      { name: "dump", execute: () => "x".repeat(3_000_000) },
      { name: "odd", execute: () => { const circle = {}; circle.self = circle; return circle; } },
      { name: "nothing", execute: () => undefined },
    ];
    await ctx.chat.completions.runTools({ tools });`);
  const [dump, odd, nothing] = toolMessages().map(({ content }) => String(content));
  expect(dump).toHaveLength(65_536 + "\n[cut here: 3000000 characters, over 65536 (maxToolTextBytes)]".length);
  expect(dump?.endsWith("x\n[cut here: 3000000 characters, over 65536 (maxToolTextBytes)]")).toBe(true);
  expect(odd).toMatch(/^Error: odd failed: Converting circular structure/);
  expect(nothing).toBe("null");
});

test("an answer that does not match its schema is repaired by the model", async () => {
  stub.script({ content: '```json\n{"price":"7"}\n```' }, { content: '{"price":7}' });
  const output = await run(`
    const schema = { type: "object", required: ["price"], properties: { price: { type: "number" } } };
    const response_format = { type: "json_schema", json_schema: { name: "price", schema } };
    const { choices, iterations, usage } = await ctx.chat.completions.runTools({ tools: [], response_format });
    return { message: choices[0].message, iterations, tokens: usage.total_tokens };`);
  expect(output).toEqual({
    message: { role: "assistant", content: '{"price":7}', parsed: { price: 7 } },
    iterations: 2,
    tokens: 30,
  });
  expect(conversation().at(-1)).toEqual({
    role: "user",
    content:
      "Your answer is not valid: /price: must be number, got string. Answer again with the corrected JSON alone.",
  });
});

test("an answer that is still not valid after all repairs fails with what is wrong", async () => {
  stub.always({ content: "seven" });
  const before = stub.calls.length;
  const error = await run(`
    return ctx.chat.completions.runTools({ tools: [], response_format: { type: "json_object" }, max_repairs: 1 });`);
  expect(error).toMatchObject({ code: "UPSTREAM_FAILED", details: { details: { limit: "max_repairs", value: 1 } } });
  expect((error as Message)["message"]).toMatch(
    /^runTools: the answer does not match response_format after 1 repairs: it is not JSON/,
  );
  expect(stub.calls.length - before).toBe(2);
});

test("wrong tools and parameters are refused before the model is asked", async () => {
  const before = stub.calls.length;
  const output = await run(`
    const told = async (params) => ctx.chat.completions.runTools(params).catch((error) => error.code + " " + error.message);
    const one = { name: "one", execute: () => 1 };
    return [
      await told({ tools: [{ name: "no" }] }),
      await told({ tools: [one, one] }),
      await told({ tools: [{ name: "bad name", execute: () => 1 }] }),
      await told({ tools: "all" }),
      await told({ tools: [one], max_steps: 0 }),
      await told({ tools: [{ type: "odd" }] }),
      await told(7),
    ];`);
  expect(output).toEqual([
    "INVALID_ARGUMENT tools[0].execute: must be a function, got undefined; it runs when the model calls no",
    'INVALID_ARGUMENT tools: two tools are called "one"; give one of them another name',
    'INVALID_ARGUMENT tools[0].name: must be 1 to 64 letters, digits, "_" or "-", got "bad name"',
    'INVALID_ARGUMENT tools: must be an array, got "all"',
    "INVALID_ARGUMENT max_steps: must be an integer from 1 to 10000, got 0",
    'INVALID_ARGUMENT tools[0].type: must be "function", "http", "workflow", "datastore" or "mcp", got "odd"',
    "INVALID_ARGUMENT runTools: the argument must be an object, got 7",
  ]);
  expect(stub.calls.length).toBe(before);
});

test("a stream has the text as deltas and what the tools do as typed chunks", async () => {
  stub.script(calls(["look", '{"at":"sky"}']), { content: "It is blue." });
  const output = (await run(`
    const look = { name: "look", execute: ({ at }) => at + " is blue" };
    const stream = await ctx.chat.completions.runTools({ tools: [look], stream: true });
    const seen = [];
    for await (const chunk of stream) seen.push(chunk.type === undefined ? chunk.choices[0].delta.content ?? chunk.choices[0].finish_reason : [chunk.type, chunk.content]);
    return { seen, final: (await stream.final()).choices[0].message.content };`)) as Message;
  expect(output).toEqual({
    seen: [
      ["tool_call", { id: expect.any(String), name: "look", arguments: { at: "sky" }, iteration: 1 }],
      ["tool_result", { id: expect.any(String), name: "look", content: "sky is blue", is_error: false, iteration: 1 }],
      "It",
      " is",
      " blue.",
      "stop",
    ],
    final: "It is blue.",
  });
});

test("what is too long to be shown in a chunk is cut there", async () => {
  stub.script(calls(["look", JSON.stringify({ at: "x".repeat(300_000) })]));
  const output = await run(`
    const stream = await ctx.chat.completions.runTools({ tools: [{ name: "look", execute: ({ at }) => at }], stream: true });
    const seen = [];
    for await (const { type, content } of stream) if (type !== undefined) { ctx.emit(type, content); seen.push((content.arguments ?? content.content).length); }
    return seen;`);
  expect(output).toEqual([2_000, 2_000]);
});

test("leaving a stream ends the conversation", async () => {
  stub.always(calls(["again", "{}"]));
  const before = stub.calls.length;
  const output = await run(`
    const stream = await ctx.chat.completions.runTools({ tools: [{ name: "again", execute: () => 1 }], stream: true });
    for await (const chunk of stream) if (chunk.type === "tool_result") break;
    await ctx.sleep(50);
    return stream.final().catch((error) => error.message);`);
  expect(output).toBe("runTools: the script left the stream before its end");
  expect(stub.calls.length - before).toBe(1);
});

test("a workflow of the account can be a tool, and its failure is told to the model", async () => {
  await core.deploy(
    "doubler",
    "export const execute = (ctx) => { if (ctx.input.n < 0) throw new Error('too small'); return { twice: ctx.input.n * 2 } }",
  );
  stub.script(calls(["doubler", '{"n":4}'], ["twice", '{"n":-1}'], ["gone", "{}"]));
  await run(`
    const tools = [{ type: "workflow", ref: "doubler" }, { type: "workflow", ref: "doubler@1.0.0", name: "twice" }, { type: "workflow", ref: "gone" }];
    await ctx.chat.completions.runTools({ tools });`);
  expect(toolMessages().map(({ content }) => content)).toEqual([
    '{"twice":8}',
    "Error: twice failed: too small",
    "Error: gone failed: Workflow not found: gone",
  ]);
});

test.each(["frozen", "context", "isolate"])("the loop is the same at isolation level %s", async (level) => {
  stub.script(calls(["add", '{"a":2}']));
  await core.deploy(
    `level-${level}`,
    `export const config = { isolation: "${level}" };
     export async function execute(ctx) {
       const add = { name: "add", execute: ({ a }) => a + 1 };
       const stream = await ctx.chat.completions.runTools({ tools: [add], stream: true });
       const types = [];
       for await (const chunk of stream) types.push(chunk.type ?? "text");
       return [types, (await stream.final()).messages.at(-2).content, Object.isFrozen(ctx.chat.completions)];
     }`,
  );
  const result = await core.run(`level-${level}`, { messages: [{ role: "user", content: "x" }] });
  const types = ["tool_call", "tool_result", "text", "text"];
  expect(result.status === "completed" && JSON.parse(result.output)).toEqual([types, "3", true]);
});

test("a name of agents that is put together at run time is told how to be written", async () => {
  const output = await run(`
    const caught = [];
    await ctx["ag" + "ents"].run("a", "b").catch((error) => caught.push([error.code, error.message]));
    await ctx["ag" + "ents"].completions.create({}).catch((error) => caught.push([error.code]));
    await ctx.chat.completions["run" + "Tools"]({}).catch((error) => caught.push([error.code]));
    return caught;`);
  const code = "CAPABILITY_DENIED";
  expect(output).toEqual([[code, expect.stringContaining("write ctx.agents or runTools in full")], [code], [code]]);
});

test("names and ids that a model server would refuse to take back are mended", async () => {
  const call = (id: string, name: string) => ({ id, type: "function", function: { name, arguments: "{}" } });
  const message = { role: "assistant", content: null, tool_calls: [call("a", "functions.add 1"), call("a", "")] };
  stub.script({ raw: JSON.stringify({ choices: [{ index: 0, message, finish_reason: "tool_calls" }] }) });
  await run(`return ctx.chat.completions.runTools({ tools: [{ name: "add", execute: () => 1 }] });`);
  expect(conversation().find(({ role }) => role === "assistant")?.["tool_calls"]).toMatchObject([
    { id: "a", function: { name: "functions_add_1" } },
    { id: "call_1_1", function: { name: "unnamed" } },
  ]);
  expect(toolMessages()).toMatchObject([
    { tool_call_id: "a", content: expect.stringContaining('no tool "functions.add 1"') },
    { tool_call_id: "call_1_1", content: expect.stringContaining('no tool ""') },
  ]);
});

test("a tool_choice is for the first answer, and nothing is said of tools where there are none", async () => {
  stub.script(calls(["add", "{}"]));
  const add = `{ name: "add", execute: () => 1 }`;
  const settings = `tool_choice: "required", parallel_tool_calls: false`;
  const before = stub.calls.length;
  await run(`return ctx.chat.completions.runTools({ tools: [${add}], ${settings} });`);
  await run(`return ctx.chat.completions.runTools({ tools: [${add}], ${settings}, execution_mode: "direct" });`);
  const [first, second, direct] = stub.calls.slice(before).map(({ body }) => body);
  expect(first).toMatchObject({ tool_choice: "required", parallel_tool_calls: false });
  expect(second).toMatchObject({ parallel_tool_calls: false });
  expect(second).not.toHaveProperty("tool_choice");
  for (const name of ["tools", "tool_choice", "parallel_tool_calls"]) expect(direct).not.toHaveProperty(name);
});

test.each([
  ["pattern", `{ type: "string", pattern: "(" }`, '"done"'],
  ["$ref", `{ $ref: "#/$defs/none" }`, "1"],
])("a schema of answers that cannot be used is named: %s", async (_keyword, schema, content) => {
  stub.always({ content });
  const format = `{ type: "json_schema", json_schema: { name: "x", schema: ${schema} } }`;
  expect(await run(`return ctx.chat.completions.runTools({ response_format: ${format} });`)).toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringMatching(/^response_format: json_schema.schema cannot be used: ./),
  });
});

test("a conversation that grows too long ends with an error that says what to do", async () => {
  const many = Array.from({ length: 20 }, () => ["much", "{}"] as const);
  stub.always(calls(...many));
  const output = await run(`
    const much = { name: "much", execute: () => "x".repeat(60_000) };
    return ctx.chat.completions.runTools({ tools: [much] });`);
  expect(output).toMatchObject({
    code: "LIMIT_EXCEEDED",
    message: expect.stringMatching(
      /^runTools: the conversation has become too long for call 2 of the model: .* arguments of \d+ characters, over 1048576 bytes \(maxArgBytes\); .* WEFT_LIMIT_MAX_ARG_BYTES$/,
    ),
    details: { details: { limit: "maxArgBytes" } },
  });
});

test("a cut result does not end in half a character", async () => {
  stub.script(calls(["emoji", "{}"]));
  await run(`
    const emoji = { name: "emoji", execute: () => "x" + "\u{1F600}".repeat(40_000) };
    return ctx.chat.completions.runTools({ tools: [emoji] });`);
  expect(String(toolMessages()[0]?.["content"]).isWellFormed()).toBe(true);
});
