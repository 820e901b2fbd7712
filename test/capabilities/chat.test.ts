import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Op } from "../../runtime/capabilities/capability.ts";
import { chat } from "../../runtime/capabilities/chat.ts";
import { createEgressClient } from "../../runtime/egress/client.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { createModelClient } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { createMcpSessions } from "../../runtime/tools/mcp/sessions.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { type OutsideServices, type TestCallOptions, testCall, testScope } from "./op-call.ts";

const op = chat.ops["chat.completions.create"] as Op;
const messages = [{ role: "user", content: "hi" }];
let stub: ModelStub;
let services: OutsideServices;

beforeAll(async () => {
  stub = await startModelStub();
  const model = { base_url: stub.url, price_per_million_tokens: { prompt: 1, completion: 1 }, max_retries: 1 };
  const file = {
    models: { main: model, quick: model },
    intents: { classify: "quick" },
    applications: { ETL: { model: "quick" } },
  };
  const egress = createEgressClient({ allowPrivate: [] });
  services = {
    egress,
    mcp: createMcpSessions({ egress }),
    models: createModelClient(parseModels({ file: JSON.stringify(file), env: {} })),
  };
});

afterAll(async () => {
  await services.egress.close();
  await services.models.close();
  await stub.close();
});

async function ask(args: unknown, options: Partial<TestCallOptions> = {}) {
  const call = testCall({ services, messages, ...options });
  const text = await op.run(op.parse(args, call.scope), call);
  const chunks = call.parts.flatMap(
    (part) => JSON.parse(part) as { id: string; choices: { delta: { content?: string } }[] }[],
  );
  return { result: JSON.parse(text) as Record<string, unknown>, call, chunks };
}

const sent = () => stub.calls.at(-1)?.body ?? {};
const textOf = (chunks: readonly { choices: { delta: { content?: string } }[] }[]) =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");

describe("arguments", () => {
  test.each([
    ["x", 'the argument must be an object, got "x"'],
    [{ model: "" }, 'model must be a non-empty string, got ""'],
    [{ model: "workflow:x" }, "ctx.workflow.completions.create"],
    [{ messages: "hi" }, 'messages must be an array, got "hi"'],
    [{ messages: [] }, "messages must not be empty"],
    [{ messages: [{}, 5] }, "messages[1] must be an object, got 5"],
    [{ stream: "yes" }, 'stream must be true or false, got "yes"'],
    [{ intent: 5 }, "intent must be a non-empty string, got 5"],
    [{ timeout_ms: 0 }, "timeout_ms must be an integer from 1 to 3600000, got 0"],
    [{ metadata: [] }, "metadata must be an object, got []"],
  ])("%j is refused", (args, message) => {
    expect(() => op.parse(args, testScope({}, messages))).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(message) }),
    );
  });

  test("nothing at all asks the default model with ctx.messages", async () => {
    await ask(undefined);
    expect(sent()).toEqual({ model: "main", messages });
  });

  test("every OpenAI parameter is forwarded verbatim, Weft's own are not", async () => {
    const openai = {
      temperature: 0,
      tools: [{ type: "function" }],
      response_format: { type: "json_object" },
      custom: [1],
    };
    const own = {
      intent: "classify",
      application_ref_name: "ETL",
      session_id: "s",
      reference_id: "r",
      timeout_ms: 5_000,
      metadata: { a: "b" },
      evaluation_enabled: false,
    };
    await ask({ ...openai, ...own });
    expect(sent()).toEqual({ ...openai, model: "quick", messages });
  });

  test("metadata is forwarded with store: true when all of it is text", async () => {
    await ask({ metadata: { a: "b" }, store: true });
    expect(sent()).toMatchObject({ metadata: { a: "b" }, store: true });
    await ask({ metadata: { a: 1 }, store: true });
    expect(sent()).not.toHaveProperty("metadata");
  });

  test("intent, application and the workflow's application choose the model", async () => {
    const modelFor = async (args: object, application: string | null = null) => {
      await ask(args, { job: { application } });
      return sent()["model"];
    };
    expect(await modelFor({ action_type: "classify" })).toBe("quick");
    expect(await modelFor({ application: "ETL" })).toBe("quick");
    expect(await modelFor({}, "ETL")).toBe("quick");
    expect(await modelFor({ model: "main" }, "ETL")).toBe("main");
    await expect(modelFor({ model: "nope" })).rejects.toThrow(/known models: main, quick, echo/);
  });
});

describe("completions", () => {
  test("are the upstream's, with request and session id, and metered", async () => {
    stub.script({ status: 500, headers: { "retry-after": "0" } }, { promptTokens: 30, completionTokens: 20 });
    const { result, call } = await ask({});
    expect(result).toMatchObject({
      object: "chat.completion",
      choices: [{ message: { content: "stub: hi" } }],
      request_id: "exec-1:7",
      session_id: "session-1",
    });
    expect(call.metered.at(-1)).toEqual({
      attempts: 2,
      promptTokens: 30,
      completionTokens: 20,
      costUsd: 0.00005,
      model: "main",
    });
  });

  test("failures carry status and the upstream's message", async () => {
    stub.script({ status: 400, error: "no such tool" });
    await expect(ask({})).rejects.toMatchObject({
      code: "UPSTREAM_FAILED",
      details: { status: 400, upstream_message: "no such tool", attempts: 1 },
    });
  });

  test("an abort ends the call", async () => {
    stub.script({ delayMs: 200 });
    await expect(ask({}, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ code: "EXECUTION_CANCELLED" });
  });
});

describe("streams", () => {
  test("deliver parts and then the joined completion; the usage frame is hidden", async () => {
    stub.script({ content: "one two", promptTokens: 3, completionTokens: 2 });
    const { result, chunks, call } = await ask({ stream: true });
    expect(textOf(chunks)).toBe("one two");
    expect(chunks.every((chunk) => chunk.choices.length === 1)).toBe(true);
    expect(result).toMatchObject({
      choices: [{ message: { content: "one two" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 2 },
      request_id: "exec-1:7",
    });
    expect(call.metered.at(-1)).toMatchObject({ promptTokens: 3, completionTokens: 2 });
  });

  test("show the usage frame to a script that asked for it", async () => {
    const { chunks } = await ask({ stream: true, stream_options: { include_usage: true } });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 10 } });
  });

  test("go on after a crash without repeating what was delivered", async () => {
    stub.script({ content: "one two three four" });
    const whole = await ask({ stream: true });
    const delivered = [JSON.stringify(whole.chunks.slice(0, 3))];
    stub.script({ content: "one two three four" });
    const resumed = await ask({ stream: true }, { delivered });
    expect(textOf(resumed.chunks)).toBe(" three four");
    expect(resumed.chunks.every(({ id }) => id === whole.chunks[0]?.id)).toBe(true);
    expect(resumed.result["choices"]).toEqual(whole.result["choices"]);
    stub.script({ content: "something else" });
    await expect(ask({ stream: true }, { delivered })).rejects.toThrow(
      "chat: the stream was interrupted and the new answer differs from the part already delivered",
    );
  });

  test("over maxResultBytes are stopped", async () => {
    const limits = { ...DEFAULT_LIMITS, maxResultBytes: 2_000 };
    stub.script({ content: "word ".repeat(1_000) });
    await expect(ask({ stream: true }, { job: { limits } })).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      details: { limit: "maxResultBytes", value: 2_000 },
    });
  });

  test("of the echo model come word by word", async () => {
    const { chunks, result } = await ask({ model: "echo", stream: true });
    expect(textOf(chunks)).toBe("echo: hi");
    expect(result).toMatchObject({ model: "echo", choices: [{ message: { content: "echo: hi" } }] });
  });
});
