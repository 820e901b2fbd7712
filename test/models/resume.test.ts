import { describe, expect, test } from "vitest";
import type { ModelObject } from "../../runtime/models/completion.ts";
import { createJoiner } from "../../runtime/models/join.ts";
import { createResumption } from "../../runtime/models/resume.ts";

const chunk = (delta: object, finish: string | null = null, id = "new"): ModelObject => ({
  id,
  object: "chat.completion.chunk",
  created: id === "new" ? 2 : 1,
  model: "m",
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const usage: ModelObject = { id: "new", object: "chat.completion.chunk", choices: [], usage: { prompt_tokens: 1 } };

function resume(delivered: readonly ModelObject[], fresh: readonly ModelObject[]) {
  const joiner = createJoiner();
  joiner.add(structuredClone(delivered));
  const resumption = createResumption(joiner);
  const left = fresh.flatMap((each) => resumption.cut([each]));
  joiner.add(left);
  resumption.end();
  return { left, final: joiner.final() as { id: string; choices: { message: unknown; finish_reason: string }[] } };
}

const text = (left: readonly ModelObject[]) =>
  left.flatMap((each) =>
    (each["choices"] as { delta: { content?: string } }[]).map(({ delta }) => delta.content ?? ""),
  );

describe("resumed streams", () => {
  const delivered = [
    chunk({ role: "assistant", content: "" }, null, "old"),
    chunk({ content: "Hello wo" }, null, "old"),
  ];

  test("go on where the delivered part ended, under the same id", () => {
    const fresh = [
      chunk({ role: "assistant", content: "Hel" }),
      chunk({ content: "lo world" }),
      chunk({ content: "!" }),
    ];
    const { left, final } = resume(delivered, [...fresh, chunk({}, "stop"), usage]);
    expect(text(left)).toEqual(["rld", "!", ""]);
    expect(left.every((each) => each["id"] === "old" && each["created"] === 1)).toBe(true);
    expect(final).toMatchObject({
      id: "old",
      choices: [{ message: { role: "assistant", content: "Hello world!" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1 },
    });
  });

  test("fail when the new answer differs or ends too early", () => {
    const differs = { code: "UPSTREAM_FAILED", message: expect.stringContaining("differs") };
    expect(() => resume(delivered, [chunk({ content: "Hallo" })])).toThrow(expect.objectContaining(differs));
    expect(() => resume(delivered, [chunk({ content: "Hello" }), chunk({}, "stop")])).toThrow(
      expect.objectContaining(differs),
    );
    expect(() => resume(delivered, [chunk({ content: "Hello" })])).toThrow(expect.objectContaining(differs));
    expect(() => resume([...delivered, chunk({}, "stop", "old")], [chunk({ content: "Hello world" })])).toThrow(
      expect.objectContaining(differs),
    );
  });

  test("add nothing when everything was delivered", () => {
    const { left, final } = resume(
      [...delivered, chunk({}, "stop", "old")],
      [chunk({ role: "assistant", content: "Hello wo" }), chunk({}, "stop"), usage],
    );
    expect(left.map((each) => each["choices"])).toEqual([[]]);
    expect(final.choices[0]?.finish_reason).toBe("stop");
  });

  test("continue tool calls, whose ids are drawn anew", () => {
    const call = (index: number, id: string, args: string) => ({
      index,
      id,
      type: "function",
      function: { name: `f${index}`, arguments: args },
    });
    const more = (index: number, args: string) => ({ index, function: { arguments: args } });
    const before = [
      chunk({ role: "assistant", content: null, tool_calls: [call(0, "a", "")] }, null, "old"),
      chunk({ tool_calls: [more(0, '{"x"')] }, null, "old"),
    ];
    const { left, final } = resume(before, [
      chunk({ role: "assistant", content: null, tool_calls: [call(0, "z", '{"')] }),
      chunk({ tool_calls: [more(0, 'x":1}')] }),
      chunk({ tool_calls: [call(1, "b", "{}")] }),
      chunk({}, "tool_calls"),
    ]);
    expect(left).toHaveLength(3);
    expect(final.choices[0]?.message).toEqual({
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "a", type: "function", function: { name: "f0", arguments: '{"x":1}' } },
        { id: "b", type: "function", function: { name: "f1", arguments: "{}" } },
      ],
    });
    expect(() => resume(before, [chunk({ tool_calls: [{ ...call(0, "z", ""), function: { name: "g" } }] })])).toThrow(
      /differs/,
    );
  });
});
