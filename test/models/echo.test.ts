import { describe, expect, test } from "vitest";
import { echoCompletion, toChunks } from "../../runtime/models/echo.ts";
import { createJoiner } from "../../runtime/models/join.ts";

const user = (content: unknown) => ({ role: "user", content });
const first = (body: Readonly<Record<string, unknown>>) =>
  (echoCompletion(body)["choices"] as { message: Record<string, unknown>; finish_reason: string }[])[0];
const tools = [
  {
    type: "function",
    function: { name: "first", parameters: { type: "object", properties: { q: { type: "string" } } } },
  },
  { type: "function", function: { name: "second", parameters: {} } },
];

describe("echo", () => {
  test("repeats the last user text, the same every time, and counts words as tokens", () => {
    const body = { messages: [user("old"), { role: "assistant", content: "x" }, user("hello  there")] };
    const completion = echoCompletion(body);
    expect(completion).toEqual(echoCompletion(structuredClone(body)));
    expect(completion).toMatchObject({
      object: "chat.completion",
      model: "echo",
      choices: [{ message: { role: "assistant", content: "echo: hello  there" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 },
    });
  });

  test("splits a megabyte of spaces, and of words with long gaps, without going over it again and again", () => {
    const gap = " ".repeat(1_000_000);
    expect(first({ messages: [user(gap)] })?.message["content"]).toBe(`echo: ${gap}`);
    const completion = echoCompletion({ messages: [user(`a${gap}b${gap}`)] });
    expect(completion).toMatchObject({ usage: { prompt_tokens: 2, completion_tokens: 3 } });
    const joiner = createJoiner();
    joiner.add(toChunks(completion));
    expect(joiner.final()["choices"]).toMatchObject([{ message: { content: `echo: a${gap}b${gap}` } }]);
  });

  test("reads the text parts of a message and survives odd bodies", () => {
    const parts = [{ type: "text", text: "a" }, { type: "image_url" }, { type: "text", text: "b" }];
    expect(first({ messages: [user(parts)] })?.message["content"]).toBe("echo: a b");
    for (const messages of [undefined, null, [], [null], [user(null)], "x"]) {
      expect(first({ messages })?.message["content"]).toBe("echo: ");
    }
  });

  test("max_tokens shortens the answer", () => {
    expect(first({ messages: [user("one two three")], max_tokens: 2 })).toMatchObject({
      message: { content: "echo: one" },
      finish_reason: "length",
    });
  });

  test("calls a tool after a user message and answers after its result", () => {
    const asked = first({ messages: [user("weather")], tools });
    expect(asked).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: null,
        tool_calls: [{ type: "function", function: { name: "first", arguments: '{"q":"weather"}' } }],
      },
    });
    const named = { type: "function", function: { name: "second" } };
    expect(first({ messages: [user("x")], tools, tool_choice: named })?.message).toMatchObject({
      tool_calls: [{ function: { name: "second", arguments: "{}" } }],
    });
    expect(first({ messages: [user("x")], tools, tool_choice: "none" })?.finish_reason).toBe("stop");
    expect(first({ messages: [user("x"), { role: "tool", content: "sunny" }], tools })?.message["content"]).toBe(
      "echo: sunny",
    );
  });

  test("response_format json_schema gives a value of that shape", () => {
    const schema = {
      type: "object",
      properties: {
        text: { type: "string" },
        tags: { type: "array", items: { enum: ["a", "b"] } },
        score: { type: "integer", minimum: 3 },
        maybe: { anyOf: [{ type: "boolean" }, { type: "null" }] },
        kind: { const: "k" },
        none: { type: ["null", "string"] },
      },
    };
    const body = { messages: [user("hi")], response_format: { type: "json_schema", json_schema: { schema } } };
    expect(JSON.parse(String(first(body)?.message["content"]))).toEqual({
      text: "hi",
      tags: ["a"],
      score: 3,
      maybe: false,
      kind: "k",
      none: null,
    });
    const json = { messages: [user("hi")], response_format: { type: "json_object" } };
    expect(first(json)?.message["content"]).toBe('{"echo":"hi"}');
  });

  test.each([
    { messages: [user("one two  three ")] },
    { messages: [user("weather")], tools },
    { messages: [user("")] },
  ])("the chunks of %j join to the completion", (body) => {
    const completion = echoCompletion(body);
    const joiner = createJoiner();
    joiner.add(toChunks(completion));
    const { choices, ...rest } = completion;
    const [choice] = choices as [{ logprobs: null }];
    const { logprobs: _, ...kept } = choice;
    expect(joiner.final()).toEqual({ ...rest, choices: [kept] });
  });
});
