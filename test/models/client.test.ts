import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createModelClient, type ModelClient, type ModelRequest } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { createJoiner } from "../../runtime/models/join.ts";
import type { ModelUsage } from "../../runtime/models/usage.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";

const KEY = "sk-test-0123456789";
let stub: ModelStub;
let client: ModelClient;
let usages: ModelUsage[] = [];
const meter = (usage: ModelUsage) => usages.push(usage);

beforeAll(async () => {
  stub = await startModelStub();
  const model = {
    base_url: stub.url,
    api_key_env: "KEY",
    upstream_model: "up",
    price_per_million_tokens: { prompt: 2, completion: 10 },
    max_retries: 2,
  };
  const file = {
    models: { priced: model, plain: { ...model, base_url: `${stub.url}/?api-version=2`, stream_usage: false } },
  };
  client = createModelClient(parseModels({ file: JSON.stringify(file), env: { KEY } }));
});

afterAll(async () => {
  await client.close();
  await stub.close();
});

afterEach(() => {
  usages = [];
});

const ask = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: "priced",
  intent: null,
  application: null,
  body: { messages: [{ role: "user", content: "hi there" }], temperature: 0.5, custom: { a: 1 } },
  idempotencyKey: "exec:1",
  timeoutMs: 10_000,
  maxBytes: 1_000_000,
  spending: null,
  maxOutputTokens: 1_000,
  signal: new AbortController().signal,
  ...more,
});

async function drain(request: ModelRequest) {
  const joiner = createJoiner();
  let reads = 0;
  for await (const chunks of client.stream(request, meter)) {
    joiner.add(chunks);
    reads++;
  }
  return { final: joiner.final(), reads };
}

const now = { headers: { "retry-after": "0" } };

describe("completions", () => {
  test("forward the body verbatim with the upstream's name and key, and price the usage", async () => {
    stub.script({ promptTokens: 1_000, completionTokens: 100 });
    const completion = await client.complete(ask(), meter);
    expect(completion).toMatchObject({ choices: [{ message: { content: "stub: hi there" } }] });
    const call = stub.calls.at(-1);
    expect(call?.path).toBe("/v1/chat/completions");
    expect(call?.body).toEqual({ ...ask().body, model: "up" });
    expect(call?.headers).toMatchObject({ authorization: `Bearer ${KEY}`, "idempotency-key": "exec:1" });
    expect(usages.at(-1)).toEqual({
      attempts: 1,
      promptTokens: 1_000,
      completionTokens: 100,
      costUsd: 0.003,
      model: "priced",
    });
  });

  test.each([408, 429, 500, 503])("a %d is retried, and the attempts are counted", async (status) => {
    stub.script({ status, ...now }, { status, headers: { "retry-after-ms": "1" } });
    await client.complete(ask(), meter);
    expect(usages.at(-1)?.attempts).toBe(3);
  });

  test("a broken connection is retried", async () => {
    stub.script({ cut: "before" });
    await client.complete(ask(), meter);
    expect(usages.at(-1)?.attempts).toBe(2);
    stub.script({ raw: '{"choices":', headers: { "content-length": "500" }, cut: "after" });
    await client.complete(ask(), meter);
    expect(usages.at(-1)?.attempts).toBe(2);
  });

  test("after the last retry the upstream's own message is shown, without the key", async () => {
    const error = `You sent ${KEY}, or sk-ab***cd`;
    stub.script({ status: 500, error, ...now }, { status: 500, error, ...now }, { status: 500, error, ...now });
    const failed = await client.complete(ask(), meter).catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({
      code: "UPSTREAM_FAILED",
      message: 'chat: model "priced": the upstream answered 500: You sent [key], or [key]',
      details: { status: 500, attempts: 3, model: "priced", upstream_type: "stub_error", upstream_code: "stub" },
    });
    expect(JSON.stringify(failed)).not.toContain(KEY);
  });

  test("other errors, and those the upstream says not to retry, are final at once", async () => {
    stub.script({ status: 400, error: "bad tools" });
    await expect(client.complete(ask(), meter)).rejects.toThrow(/answered 400: bad tools/);
    stub.script({ status: 500, headers: { "x-should-retry": "false" } });
    await expect(client.complete(ask(), meter)).rejects.toMatchObject({ details: { attempts: 1 } });
    stub.script({ status: 502, raw: "<html>gateway</html>", headers: { "x-should-retry": "false" } });
    await expect(client.complete(ask(), meter)).rejects.toThrow(/answered 502: <html>gateway/);
  });

  test("a Retry-After beyond the timeout is not waited for", async () => {
    stub.script({ status: 429, error: "slow down", headers: { "retry-after": "3600" } });
    await expect(client.complete(ask(), meter)).rejects.toThrow(/answered 429: slow down/);
  });

  test("the timeout covers all attempts; an abort ends the call", async () => {
    stub.script({ delayMs: 300 });
    await expect(client.complete(ask({ timeoutMs: 40 }), meter)).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      details: { model: "priced", limit: "timeout_ms", value: 40 },
    });
    stub.script({ delayMs: 300 });
    await expect(client.complete(ask({ signal: AbortSignal.timeout(20) }), meter)).rejects.toMatchObject({
      code: "EXECUTION_CANCELLED",
    });
  });

  test("answers that are no completion, and too large ones, are errors", async () => {
    for (const raw of ["not json", "[]", '{"choices":1}']) {
      stub.script({ raw });
      await expect(client.complete(ask(), meter)).rejects.toThrow(/not a chat completion/);
    }
    stub.script({ raw: '{"error":{"message":"hidden failure"}}' });
    await expect(client.complete(ask(), meter)).rejects.toThrow(/hidden failure/);
    stub.script({ content: "x".repeat(2_000) });
    await expect(client.complete(ask({ maxBytes: 1_000 }), meter)).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: "chat: the model's answer is over 1000 bytes (maxResultBytes)",
    });
  });

  test("connections are kept alive", async () => {
    const before = stub.connections();
    for (let index = 0; index < 8; index++) {
      await client.complete(ask(), meter);
      await drain(ask());
    }
    expect(stub.connections() - before).toBeLessThan(3);
  });
});

describe("streams", () => {
  test("bring the chunks as they come and end with the usage", async () => {
    stub.script({ content: "one two three", chunkDelayMs: 5, promptTokens: 10, completionTokens: 20 });
    const { final, reads } = await drain(ask());
    expect(reads).toBeGreaterThan(1);
    expect(final).toMatchObject({
      object: "chat.completion",
      choices: [{ message: { role: "assistant", content: "one two three" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 10, completion_tokens: 20 },
    });
    expect(stub.calls.at(-1)?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(usages.at(-1)).toMatchObject({ promptTokens: 10, completionTokens: 20, costUsd: 0.00022 });
  });

  test("do not ask for usage where the operator says so", async () => {
    await drain(ask({ model: "plain" }));
    expect(stub.calls.at(-1)?.body).not.toHaveProperty("stream_options");
    expect(stub.calls.at(-1)?.path).toBe("/v1/chat/completions?api-version=2");
  });

  test("join tool calls", async () => {
    const toolCalls = [
      { name: "f", arguments: '{"city":"Bern"}' },
      { name: "g", arguments: "{}" },
    ];
    stub.script({ toolCalls });
    expect((await drain(ask())).final).toMatchObject({
      choices: [
        { finish_reason: "tool_calls", message: { tool_calls: toolCalls.map((call) => ({ function: call })) } },
      ],
    });
  });

  test("are retried before their first byte, never after it", async () => {
    stub.script({ status: 503, ...now });
    await drain(ask());
    expect(usages.at(-1)?.attempts).toBe(2);
    const before = stub.calls.length;
    stub.script({ content: "one two three", cut: 2 });
    await expect(drain(ask())).rejects.toMatchObject({ code: "UPSTREAM_FAILED" });
    expect(stub.calls.length - before).toBe(1);
  });

  test("that end without a finish, or with an error frame, fail", async () => {
    const headers = { "content-type": "text/event-stream" };
    const piece = '{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}';
    const body = { ...ask().body };
    stub.script({ raw: `data: ${piece}\n\n`, headers });
    await expect(drain(ask({ body }))).rejects.toThrow(/ended before the answer was complete/);
    stub.script({ raw: 'data: {"error":{"message":"overloaded"}}\n\n', headers });
    await expect(drain(ask())).rejects.toThrow(/reported an error in its stream: overloaded/);
    stub.script({ raw: "data: nonsense\n\n", headers });
    await expect(drain(ask())).rejects.toThrow(/not a JSON object/);
    stub.script({ raw: `data: ${"x".repeat(5_000)}`, headers });
    await expect(drain(ask({ maxBytes: 1_000 }))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });

  test("of an upstream that answers a whole completion are made from it", async () => {
    stub.script({
      raw: '{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"all at once"},"finish_reason":"stop"}]}',
    });
    expect((await drain(ask())).final).toMatchObject({ choices: [{ message: { content: "all at once" } }] });
  });

  test("that nobody reads on close their connection", async () => {
    stub.script({ content: "a b c d e f", chunkDelayMs: 20 });
    for await (const chunks of client.stream(ask(), meter)) {
      expect(chunks.length).toBeGreaterThan(0);
      break;
    }
  });
});

describe("the echo model", () => {
  test("needs no upstream, is metered and free", async () => {
    const before = stub.calls.length;
    expect(await client.complete(ask({ model: "echo" }), meter)).toMatchObject({ model: "echo" });
    const { final, reads } = await drain(ask({ model: "echo" }));
    expect(final).toMatchObject({ choices: [{ message: { content: "echo: hi there" } }] });
    expect(reads).toBeGreaterThan(3);
    expect(usages.at(-1)).toEqual({ attempts: 1, promptTokens: 2, completionTokens: 3, costUsd: 0, model: "echo" });
    expect(stub.calls.length).toBe(before);
  });

  test("unknown models are errors", async () => {
    await expect(client.complete(ask({ model: "nope" }), meter)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(drain(ask({ model: "nope" }))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
