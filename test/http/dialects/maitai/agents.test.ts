import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ModelStub, startModelStub } from "../../../support/model-stub.ts";
import { until } from "../../../support/until.ts";
import { framesOf, type Service, startService } from "../../service.ts";

type Json = Readonly<Record<string, unknown>>;

let service: Service;
let stub: ModelStub;

beforeAll(async () => {
  stub = await startModelStub();
  service = await startService({ OPENAI_API_KEY: "sk-test-key-of-http", OPENAI_BASE_URL: stub.url });
  await service.deploy("orders", "export const execute = (ctx) => ({ status: 'in transit', id: ctx.input.id })");
  await put("support", { system_prompt: "Help.", tools: [{ type: "workflow", ref: "orders" }] });
});
beforeEach(() => stub.always({ content: "It is in transit." }));
afterAll(async () => {
  await service.close();
  await stub.close();
});

async function json(
  path: string,
  method = "GET",
  body?: unknown,
): Promise<{ readonly status: number; readonly body: Json }> {
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await service.send(path, { method, ...init });
  return { status: response.status, body: (await response.json()) as Json };
}

const put = (name: string, definition: Json) => json(`/api/v1/agents/${name}`, "PUT", definition);
const askOrders = () => stub.script({ toolCalls: [{ name: "orders", arguments: '{"id":"1002"}' }] });

const client = () => new OpenAI({ baseURL: `${service.url}/agent`, apiKey: service.apiKey });
const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [{ role: "user", content: "Where is order 1002?" }];

describe("definitions", () => {
  test("are created once, changed as new versions, and go back", async () => {
    const made = await json("/api/v1/agents", "POST", { name: "writer", system_prompt: "one", version_notes: "first" });
    expect(made).toMatchObject({
      status: 200,
      body: { data: { object: "agent", name: "writer", version: 1, active_version: 1, version_created: true } },
    });
    expect(await json("/api/v1/agents", "POST", { name: "writer" })).toMatchObject({ status: 409 });
    expect((await put("writer", { system_prompt: "two" })).body["data"]).toMatchObject({
      version: 2,
      max_iterations: 100,
    });
    expect((await put("writer", { system_prompt: "two" })).body["data"]).toMatchObject({
      version: 2,
      version_created: false,
    });
    const back = await json("/api/v1/agents/writer/versions/1/activate", "POST");
    expect(back.body["data"]).toMatchObject({ active_version: 1, newest_version: 2, system_prompt: "one" });
    const versions = await json("/api/v1/agents/writer/versions");
    expect(versions.body).toMatchObject({
      data: [
        { version: 2, system_prompt: "two" },
        { version: 1, version_notes: "first" },
      ],
      pagination: { total: 2 },
    });
    expect((await json("/api/v1/agents/writer@2")).body["data"]).toMatchObject({ version: 2, active_version: 1 });
    const { id } = (await json("/api/v1/agents/writer")).body["data"] as { id: string };
    expect((await json(`/api/v1/agents/${id}`)).body["data"]).toMatchObject({ name: "writer" });
    expect((await json("/api/v1/agents")).body["pagination"]).toMatchObject({ total: 2 });
    expect(await json("/api/v1/agents/writer", "DELETE")).toEqual({ status: 200, body: { data: { deleted: true } } });
    expect(await json("/api/v1/agents/writer")).toMatchObject({
      status: 404,
      body: { error: { code: "agent_not_found" } },
    });
  });

  test.each<[string, Json, string]>([
    ["bad!", {}, "name"],
    ["a", { name: "b" }, "name"],
    ["a", { prompt: "x" }, "prompt"],
    ["a", { tools: [{ type: "http", name: "x", request: { url: 7 } }] }, "tools[0].request.url"],
    ["a", { tools: [{ type: "mcp", server: { command: "rm" } }] }, "tools[0].server.command"],
  ])("that are wrong are refused: %s %j", async (name, definition, param) => {
    const answer = await put(name, definition);
    expect([answer.status, (answer.body["error"] as Json)["param"]]).toEqual([400, param]);
  });
});

describe("calls", () => {
  test("are answered by the loop, with usage summed, as a run of their own", async () => {
    askOrders();
    const answer = await client().chat.completions.create({ model: "support", messages });
    expect(answer).toMatchObject({
      object: "chat.completion",
      model: "support",
      choices: [{ message: { content: "It is in transit." }, finish_reason: "stop" }],
      usage: { prompt_tokens: 20, completion_tokens: 10 },
    });
    expect(stub.calls.at(-1)?.body["messages"]).toMatchObject([
      { role: "system", content: "Help." },
      { role: "user" },
      { role: "assistant" },
      { role: "tool", content: '{"status":"in transit","id":"1002"}' },
    ]);
    const runs = (await json("/api/v1/runs?workflow=agent:support")).body["data"] as readonly Json[];
    expect(runs[0]).toMatchObject({ workflow_ref_name: "agent:support", status: "completed" });
    const listed = (await json("/api/v1/workflows")).body["data"] as readonly Json[];
    expect(listed.map((workflow) => workflow["workflow_ref_name"])).toEqual(["orders"]);
  });

  test("stream text as deltas and what tools do as typed chunks, for the openai client", async () => {
    askOrders();
    const stream = await client().chat.completions.create({ model: "support", messages, stream: true });
    const types: unknown[] = [];
    let text = "";
    for await (const chunk of stream) {
      const { type } = chunk as unknown as Json;
      if (type !== undefined && type !== "delta") types.push(type);
      text += chunk.choices[0]?.delta.content ?? "";
    }
    expect(text).toBe("It is in transit.");
    expect(types).toEqual(["tool_call", "tool_result"]);
    askOrders();
    const helper = client().chat.completions.stream({ model: "support", messages });
    expect(await helper.finalContent()).toBe("It is in transit.");
  });

  test("name the agent as Maitai's clients do", async () => {
    const named = {
      agent: "support",
      agent_id: null,
      execution_mode: "direct",
      max_iterations: 3,
      task_id: "t",
      high_performance: true,
    };
    const answer = await client().chat.completions.create({ model: "whatever", messages, ...named } as never);
    expect(answer).toMatchObject({ model: "whatever", choices: [{ message: { content: "It is in transit." } }] });
    const { body } = stub.calls.at(-1) ?? { body: {} };
    expect(Object.keys(body).sort()).toEqual(["messages", "model"]);
    const one = await json("/agent/v1/chat/completions", "POST", { model: "agent:support@1", messages });
    expect(one.status).toBe(200);
  });

  test("work in the background, once per Idempotency-Key, with metadata and a session", async () => {
    const send = () =>
      service.post(
        "/agent/chat/completions",
        { model: "support", messages, background: true, metadata: { a: 1 }, session_id: "s-1" },
        { "idempotency-key": "agent-once" },
      );
    const first = await send();
    const { id } = (await first.json()) as { id: string };
    expect([first.status, ((await (await send()).json()) as Json)["id"]]).toEqual([202, id]);
    const run = await until(async () => {
      const { data } = (await json(`/api/v1/runs/${id}`)).body as { readonly data: Json };
      return data["status"] === "completed" ? data : null;
    });
    expect(run).toMatchObject({ output: "It is in transit.", session_id: "s-1" });
  });

  test("have structured output as output", async () => {
    const schema = { type: "object", required: ["n"], properties: { n: { type: "integer" } } };
    const response_format = { type: "json_schema", json_schema: { name: "n", schema } };
    stub.script({ content: '{"n":"1"}' }, { content: '{"n":1}' });
    const answer = await json("/agent/chat/completions", "POST", { model: "support", messages, response_format });
    expect(answer.body).toMatchObject({ output: { n: 1 }, choices: [{ message: { content: '{"n":1}' } }] });
    stub.script({ content: '{"n":"1"}' }, { content: '{"n":2}' });
    const streamed = await service.post("/agent/chat/completions", {
      model: "support",
      messages,
      response_format,
      stream: true,
    });
    const frames = framesOf(await streamed.text());
    expect(frames.filter((frame) => frame["type"] === "delta").map((frame) => frame["content"])).toEqual(['{"n":2}']);
    expect(frames.at(-1)).toMatchObject({ output: { n: 2 } });
  });

  test.each<[number, string, Json]>([
    [404, "agent_not_found", { model: "nobody", messages }],
    [404, "agent_not_found", { agent: "nobody", model: "support", messages }],
    [404, "version_not_found", { model: "support@99", messages }],
    [400, "invalid_agent", { messages }],
    [400, "missing_input", { model: "support" }],
    [400, "invalid_request", { model: "support", messages, tools: [{ type: "function", function: { name: "x" } }] }],
    [400, "invalid_request", { model: "support", messages, execution_mode: "odd" }],
    [400, "invalid_request", { model: "support", messages, max_iterations: 1e6 }],
    [400, "invalid_request", { model: "support", messages, response_format: { type: "json_schema" } }],
  ])("that are wrong are %i %s: %j", async (status, code, body) => {
    const before = stub.calls.length;
    const answer = await json("/agent/chat/completions", "POST", body);
    expect([answer.status, (answer.body["error"] as Json)["code"]]).toEqual([status, code]);
    expect(stub.calls.length).toBe(before);
  });

  test("end with an error that names max_iterations", async () => {
    stub.always({ toolCalls: [{ name: "orders", arguments: "{}" }] });
    const answer = await json("/agent/chat/completions", "POST", { model: "support", messages, max_iterations: 2 });
    expect(answer).toMatchObject({ status: 500, body: { error: { code: "workflow_limit_exceeded" } } });
    expect((answer.body["error"] as Json)["message"]).toMatch(/after 2 calls \(max_iterations\)$/);
  });
});

test("agents are models", async () => {
  const page = await client().models.list();
  expect(page.data.map(({ id }) => id)).toEqual(["support"]);
  expect(await client().models.retrieve("support")).toMatchObject({ id: "support", object: "model" });
  expect(await json("/agent/models/nobody")).toMatchObject({ status: 404 });
});

test("an agent is a workflow, too: nested, with its input as what the user says", async () => {
  await service.deploy(
    "asks",
    `export const execute = async (ctx) => (await ctx.workflow.completions.create({ model: "workflow:agent:support", input: "hello" })).output`,
  );
  expect(((await (await service.invoke("asks")).json()) as Json)["output"]).toBe("It is in transit.");
  expect(stub.calls.at(-1)?.body["messages"]).toMatchObject([{}, { role: "user", content: "hello" }]);
});

test("an agent that nobody has called yet can be called by a workflow", async () => {
  expect(await put("fresh", { system_prompt: "Be new." })).toMatchObject({ status: 200 });
  const nest = (agent: string) =>
    `export const execute = async (ctx) => (await ctx.workflow.completions.create({ model: "workflow:agent:${agent}", input: "hello" })).output`;
  await service.deploy("asks-fresh", nest("fresh"));
  stub.always({ content: "I am new." });
  expect(((await (await service.invoke("asks-fresh")).json()) as Json)["output"]).toBe("I am new.");
  await service.deploy("asks-none", nest("none"));
  expect(await (await service.invoke("asks-none")).json()).toMatchObject({
    error: { message: "Agent not found: none" },
  });
});

test("the trace of a run does not show the headers of its agent's tools", async () => {
  const headers = { authorization: "Bearer written-out-1", "x-odd": 'quo"te}\\' };
  const tools = [{ type: "http", name: "look", request: { url: "https://shop.example/{{id}}", headers } }];
  await put("written", { tools });
  stub.always({ content: "done" });
  await json("/agent/chat/completions", "POST", { model: "written", messages });
  const [{ id }] = (await json("/api/v1/runs?limit=1")).body["data"] as [{ readonly id: string }];
  for (const bytes of [16_384, 300, 250, 220]) {
    const trace = JSON.stringify((await json(`/api/v1/runs/${id}/trace?max_bytes=${bytes}`)).body);
    expect(trace).not.toMatch(/written-out|quo/);
  }
  const trace = await json(`/api/v1/runs/${id}/trace`);
  expect(JSON.stringify(trace.body)).toContain('"headers":{"authorization":"[hidden]","x-odd":"[hidden]"}');
});
