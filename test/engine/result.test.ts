import { expect, test } from "vitest";
import { toCompletion } from "../../src/engine/completion.ts";
import { redactJson } from "../../src/engine/redact.ts";
import { NO_USAGE, toCompleted, toFailed } from "../../src/engine/result.ts";

test("a returned string is the content as it is, anything else its JSON text", () => {
  expect(toCompleted('"a\\"b"', NO_USAGE, false)).toMatchObject({ content: 'a"b', output: '"a\\"b"' });
  expect(toCompleted('{"a":1}', NO_USAGE, false)).toMatchObject({ content: '{"a":1}' });
  expect(toCompleted("null", NO_USAGE, false)).toMatchObject({ content: "null" });
});

test("a completion has the members of an OpenAI answer and the output", () => {
  const result = toCompleted('{"rows":3}', { ...NO_USAGE, promptTokens: 2, completionTokens: 3 }, false);
  if (result.status !== "completed") throw new Error("not completed");
  const executionId = "3f0a2c1e-0000-4000-8000-000000000000";
  const facts = { executionId, createdAt: 1_770_848_541_999, model: 'workflow:"x"', sessionId: "s", requestId: "r" };
  expect(JSON.parse(toCompletion({ ...facts, result }))).toEqual({
    id: "chatcmpl-3f0a2c1e000040008000000000000000",
    object: "chat.completion",
    created: 1_770_848_541,
    model: 'workflow:"x"',
    choices: [{ index: 0, message: { role: "assistant", content: '{"rows":3}' }, finish_reason: "stop" }],
    usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
    output: { rows: 3 },
    session_id: "s",
    request_id: "r",
  });
});

test("a cancelled execution is not a failed one", () => {
  const error = { message: "", details: {} };
  expect(toFailed({ code: "EXECUTION_CANCELLED", ...error }).status).toBe("cancelled");
  expect(toFailed({ code: "EXECUTION_FAILED", ...error }).status).toBe("failed");
});

test("secret values are hidden in JSON texts, which stay JSON", () => {
  const secret = 'pa"ss\\word';
  const text = JSON.stringify({ a: `x${secret}y`, b: "short" });
  const hidden = redactJson(text, { token: secret, short: "short" });
  expect(JSON.parse(hidden)).toEqual({ a: "x[secret token]y", b: "short" });
});
