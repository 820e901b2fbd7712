import { describe, expect, test } from "vitest";
import type { ModelRoute } from "../../runtime/models/config.ts";
import { reportedCost, saidBytes, worstCase } from "../../runtime/models/worst-case.ts";
import { costOf, MAX_AMOUNT } from "../../runtime/spending.ts";

const ROUTE: ModelRoute = {
  baseUrl: "http://model.example/v1",
  apiKey: null,
  upstreamModel: null,
  promptPrice: 2,
  completionPrice: 10,
  timeoutMs: 1,
  maxRetries: 0,
  streamUsage: true,
  isPriced: true,
  maxOutputTokens: null,
  maxInputTokens: null,
};
const target = (more: Partial<ModelRoute> = {}) => ({ api: "chat" as const, name: "m", route: { ...ROUTE, ...more } });
const messages = [{ role: "user", content: "hi" }];
const bytes = (body: object) => Buffer.byteLength(JSON.stringify(body));
const tokens = (body: object, route: Partial<ModelRoute> = {}) => worstCase(target(route), body as never, 1_000).tokens;

describe("the worst case of a call", () => {
  test("is a token for each byte of the request, and the longest answer that was asked for", () => {
    const body = { messages, max_tokens: 50 };
    expect(worstCase(target(), body, 1_000)).toEqual({
      nanoUsd: (bytes(body) + 64) * 2_000 + 50 * 10_000,
      tokens: bytes(body) + 64 + 50,
      calls: 1,
    });
  });

  test("takes the model's longest answer, else the server's, where the call says nothing", () => {
    const prompt = bytes({ messages }) + 64;
    expect(tokens({ messages })).toBe(prompt + 1_000);
    expect(tokens({ messages }, { maxOutputTokens: 300 })).toBe(prompt + 300);
    expect(
      tokens({ messages, max_tokens: 1_000_000 }, { maxOutputTokens: 300 }) -
        bytes({ messages, max_tokens: 1_000_000 }),
    ).toBe(64 + 300);
  });

  test.each([
    [{ max_tokens: 100, max_completion_tokens: 200 }, 200],
    [{ max_tokens: 100, n: 3 }, 300],
    [{ max_tokens: "100", n: "3" }, 300],
    [{ max_tokens: -5 }, 1_000],
    [{ max_tokens: 0 }, 1_000],
    [{ max_tokens: 0.2 }, 1],
    [{ max_tokens: null, n: null }, 1_000],
    [{ max_tokens: {} }, 1_000],
    [{ max_tokens: "many" }, 1_000],
    [{ max_tokens: 10, n: -1 }, 10],
    [{ max_tokens: 1e308 }, 1e12],
    [{ max_tokens: 100, n: 1e308 }, 100_000],
  ])("%j makes an answer of at most %i tokens", (params, most) => {
    const body = { messages, ...params };
    expect(tokens(body)).toBe(bytes(body) + 64 + most);
  });

  test("counts images, files, tools and predictions beyond their bytes", () => {
    const withPart = (part: object) => ({ messages: [{ role: "user", content: [part] }], max_tokens: 1 });
    const image = withPart({ type: "image_url", image_url: { url: "https://example.com/a.png" } });
    expect(tokens(image)).toBe(bytes(image) + 64 + 50_000 + 1);
    const file = withPart({ type: "file", file: { file_id: "file-1" } });
    expect(tokens(file)).toBe(bytes(file) + 64 + 1_000_000 + 1);
    expect(tokens(file, { maxInputTokens: 128_000 })).toBe(128_001);
    const untyped = withPart({ image_url: { url: "https://example.com/a.png" } });
    expect(tokens(untyped)).toBe(bytes(untyped) + 64 + 50_000 + 1);
    const untypedFile = withPart({ inline_data: { file_uri: "gs://bucket/film.mp4" } });
    expect(tokens(untypedFile)).toBe(bytes(untypedFile) + 64 + 1_000_000 + 1);
    const untypedText = withPart({ text: "hi" });
    expect(tokens(untypedText)).toBe(bytes(untypedText) + 64 + 1);
    const tools = { messages, max_tokens: 1, tools: [] };
    expect(tokens(tools)).toBe(bytes(tools) + 64 + 1_024 + 1);
    const prediction = { type: "content", content: "x".repeat(100) };
    const predicted = { messages, max_tokens: 1, prediction };
    expect(tokens(predicted)).toBe(bytes(predicted) + 64 + 1 + bytes(prediction));
  });

  test("of the built-in model is what it says", () => {
    const echo = target({ baseUrl: null, promptPrice: 0, completionPrice: 0 });
    expect(worstCase(echo, { messages: [{ role: "user", content: "one two" }] }, 1_000)).toEqual({
      nanoUsd: 0,
      tokens: 5,
      calls: 1,
    });
  });
});

test("costs are whole billionths, never below the truth and never more than can be counted", () => {
  const cost = (prompt: number, price: number) =>
    costOf({ prompt, completion: 0 }, { promptPrice: price, completionPrice: 0 });
  expect(cost(1, 0.15)).toEqual({ nanoUsd: 150, tokens: 1, calls: 1 });
  expect(cost(1, 1e-9).nanoUsd).toBe(1);
  expect(cost(1e12, Number.MAX_SAFE_INTEGER).nanoUsd).toBe(MAX_AMOUNT);
  expect(cost(Number.NaN, 1)).toMatchObject({ nanoUsd: MAX_AMOUNT, tokens: MAX_AMOUNT });
  expect(cost(-1, 1)).toMatchObject({ nanoUsd: 0, tokens: 0 });
});

test.each([
  [{ prompt_tokens: 3, completion_tokens: 4 }, 7],
  [{ prompt_tokens: 1e308, completion_tokens: -4 }, 1e12],
  [{ prompt_tokens: "9" }, null],
  [{}, null],
  [null, null],
])("usage %j is taken as %j tokens", (usage, total) => {
  expect(reportedCost(target(), { usage })?.tokens ?? null).toBe(total);
});

test.each([
  [{ role: "assistant", content: "" }, false],
  [{ role: "assistant", content: null, tool_calls: [] }, false],
  [{}, false],
  [{ role: "assistant", content: "a" }, true],
  [{ tool_calls: [{ index: 0 }] }, true],
  [{ reasoning_content: "hm" }, true],
])("a chunk that says %j has said something: %j", (delta, isSaid) => {
  expect(saidBytes({ choices: [{ index: 0, delta }] }) > 0).toBe(isSaid);
});
