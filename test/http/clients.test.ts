import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Service, startService } from "./service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy(
    "steps",
    `export const execute = (ctx) => { ctx.emit("progress", { pct: 50 }); return "Hello " + (ctx.input?.name ?? ctx.messages.at(-1).content); };`,
  );
  await service.deploy(
    "writer",
    `export const execute = (ctx) => { ctx.write("Hel"); ctx.emit("half", 1); ctx.write("lo"); return "Hello"; };`,
  );
  await service.deploy("rows", "export const execute = () => ({ rows: 3 });");
  await service.deploy(
    "fails",
    `export const execute = (ctx) => { ctx.emit("started", ctx.input); throw new Error("no luck"); };`,
  );
});
afterAll(() => service.close());

type Create = OpenAI.Chat.ChatCompletionCreateParams;
type Streaming = OpenAI.Chat.ChatCompletionCreateParamsStreaming;
const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [{ role: "user", content: "Ada" }];
const withInput = (model: string, input: unknown) => ({ model, input }) as unknown as Create;
const streamInput = (model: string, input: unknown) => ({ model, input, stream: true }) as unknown as Streaming;

describe.each(["/workflow", "/v1"])("openai at %s", (path) => {
  const client = (headers: Readonly<Record<string, string>> = {}) =>
    new OpenAI({ baseURL: `${service.url}${path}`, apiKey: service.apiKey, defaultHeaders: headers });

  test("answers messages and input", async () => {
    const answer = await client().chat.completions.create({ model: "workflow:steps", messages });
    expect(answer.choices[0]?.message.content).toBe("Hello Ada");
    expect(answer._request_id).toMatch(/^[0-9a-f-]{36}$/);
    const rows = await client().chat.completions.create(withInput("workflow:rows", {}));
    expect(rows).toMatchObject({ object: "chat.completion", output: { rows: 3 } });
  });

  test.each([{}, { "x-workflow-stream": "split" }])("iterates over a stream, headers %j", async (headers) => {
    const chunks: unknown[] = [];
    let text = "";
    const stream = await client(headers).chat.completions.create({ model: "workflow:steps", messages, stream: true });
    for await (const chunk of stream) {
      chunks.push(chunk);
      text += chunk.choices[0]?.delta.content ?? "";
    }
    expect(text).toBe("Hello Ada");
    expect(chunks[0]).toMatchObject({ type: "progress", content: { pct: 50 } });
    expect(chunks.at(-1)).toMatchObject({ object: "chat.completion", choices: [{ finish_reason: "stop" }] });
  });

  test.each<[string, string]>([
    ["workflow:steps", "Hello Ada"],
    ["workflow:writer", "Hello"],
  ])("the .stream() helper joins the text of %s once", async (model, text) => {
    const stream = client().chat.completions.stream({ model, messages });
    let deltas = "";
    stream.on("content", (delta) => {
      deltas += delta;
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe(text);
    expect(deltas).toBe(text);
    expect(final.usage?.total_tokens).toBe(0);
  });

  test("parses JSON content", async () => {
    const answer = await client().chat.completions.parse({
      model: "workflow:rows",
      messages,
      response_format: { type: "json_schema", json_schema: { name: "rows", schema: { type: "object" } } },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toEqual({ rows: 3 });
  });

  test("lists the models", async () => {
    const ids: string[] = [];
    for await (const model of client().models.list()) ids.push(model.id);
    expect(ids).toContain("workflow:steps");
    expect((await client().models.retrieve("workflow:steps")).id).toBe("workflow:steps");
  });

  test("a failed run is an InternalServerError and is run once", async () => {
    const marker = crypto.randomUUID();
    const error = await client()
      .chat.completions.create(withInput("workflow:fails", marker))
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(error).toMatchObject({ status: 500, code: "workflow_execution_error", type: "workflow_error" });
    expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/);
    const { data } = (await (await service.send("/api/v1/workflows/fails/runs?limit=100")).json()) as {
      data: readonly { request_id: string }[];
    };
    expect(data.filter((run) => run.request_id === error.requestID)).toHaveLength(1);
  });

  test("a run that fails in a stream throws an APIError with code and type", async () => {
    const seen: unknown[] = [];
    const iterate = async () => {
      for await (const chunk of await client().chat.completions.create(streamInput("workflow:fails", path)))
        seen.push(chunk);
    };
    await expect(iterate()).rejects.toMatchObject({
      code: "workflow_execution_error",
      type: "workflow_error",
      error: { status: 500, message: "no luck" },
    });
    expect(seen).toHaveLength(1);
  });

  test.each<[string, Create, new (...args: never[]) => Error]>([
    ["400", withInput("gpt-4o", 1), OpenAI.BadRequestError],
    ["404", withInput("workflow:nowhere", 1), OpenAI.NotFoundError],
  ])("%s has its class, streamed or not", async (_status, body, type) => {
    await expect(client().chat.completions.create(body)).rejects.toBeInstanceOf(type);
    await expect(client().chat.completions.create({ ...body, stream: true })).rejects.toBeInstanceOf(type);
  });

  test("a wrong key is an AuthenticationError", async () => {
    const wrong = new OpenAI({ baseURL: `${service.url}${path}`, apiKey: "wrong" });
    await expect(wrong.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });
});

test("a failed run is asked for once, although the client would repeat it", async () => {
  const attempts: (string | null)[] = [];
  const client = new OpenAI({
    baseURL: `${service.url}/v1`,
    apiKey: service.apiKey,
    fetch: (url, init) => {
      attempts.push(new Headers(init?.headers).get("x-stainless-retry-count"));
      return fetch(url, init);
    },
  });
  await expect(client.chat.completions.create(withInput("workflow:fails", 1))).rejects.toThrow("no luck");
  expect(attempts).toEqual(["0"]);
});

test("Maitai's loop shows the chunks and then the result", async () => {
  const client = new OpenAI({
    baseURL: `${service.url}/workflow`,
    apiKey: service.apiKey,
    defaultHeaders: { "x-api-key": service.apiKey },
    maxRetries: 0,
  });
  const maitai = {
    workflow: { completions: { create: client.chat.completions.create.bind(client.chat.completions) } },
  };
  const lines: unknown[] = [];
  const stream = await maitai.workflow.completions.create(streamInput("workflow:steps", { name: "Grace" }));
  for await (const chunk of stream as unknown as AsyncIterable<{
    type?: string;
    content?: unknown;
    choices: [{ message: { content: string } }];
  }>) {
    if (chunk.type) lines.push([chunk.type, chunk.content]);
    else if (chunk.choices) lines.push(["result", chunk.choices[0].message.content]);
  }
  expect(lines).toEqual([
    ["progress", { pct: 50 }],
    ["result", "Hello Grace"],
  ]);
});

describe("the AI SDK's openai-compatible provider", () => {
  const model = (ref: string) =>
    createOpenAICompatible({ name: "weft", baseURL: `${service.url}/v1`, apiKey: service.apiKey })(`workflow:${ref}`);

  test("generates text", async () => {
    expect((await generateText({ model: model("steps"), prompt: "Ada" })).text).toMatch(/^Hello /);
  });

  test.each<[string, string]>([
    ["rows", '{"rows":3}'],
    ["writer", "Hello"],
  ])("streams text of %s", async (ref, text) => {
    const result = streamText({ model: model(ref), prompt: "Ada" });
    let streamed = "";
    for await (const part of result.textStream) streamed += part;
    expect(streamed).toBe(text);
    expect(await result.finishReason).toBe("stop");
  });

  test("a failed run is one failed call", async () => {
    await expect(generateText({ model: model("fails"), prompt: "x" })).rejects.toThrow("no luck");
  });
});

describe("LangChain's ChatOpenAI", () => {
  const model = (ref: string) =>
    new ChatOpenAI({
      model: `workflow:${ref}`,
      apiKey: service.apiKey,
      configuration: { baseURL: `${service.url}/v1` },
    });

  test("invokes", async () => {
    expect((await model("steps").invoke("Ada")).content).toBe("Hello Ada");
  });

  test.each<[string, string]>([
    ["steps", "Hello Ada"],
    ["writer", "Hello"],
  ])("streams %s", async (ref, text) => {
    let streamed = "";
    for await (const chunk of await model(ref).stream("Ada")) streamed += String(chunk.content);
    expect(streamed).toBe(text);
  });
});
