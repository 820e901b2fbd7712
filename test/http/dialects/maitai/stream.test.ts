import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { framesOf, payloadsOf, readerOf, type Service, startService } from "../../service.ts";

let service: Service;
/** An upstream service that answers only when told to. */
let gate: Server;
let gateUrl = "";
const waiting: (() => void)[] = [];
const openGate = () => {
  for (const go of waiting.splice(0)) go();
};

beforeAll(async () => {
  service = await startService();
  gate = createServer((_request, response) => waiting.push(() => response.end("go")));
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  gateUrl = `http://127.0.0.1:${(gate.address() as AddressInfo).port}/`;
  await service.deploy(
    "steps",
    `export async function execute(ctx) { ctx.emit("progress", { pct: 50 }); ctx.emit("note"); return { rows: 3 }; }`,
  );
  await service.deploy(
    "writer",
    `export async function execute(ctx) { ctx.write("Hel"); ctx.emit("half", 1); ctx.write("lo"); return "Hello"; }`,
  );
  await service.deploy(
    "typed",
    `export const execute = (ctx) => { ctx.emit("error", "x"); ctx.emit("delta", "y"); return "é\\n"; }`,
  );
  await service.deploy("broken", `export const execute = (ctx) => { ctx.emit("a", 1); throw new Error("no luck"); }`);
  await service.deploy(
    "gated",
    `export async function execute(ctx) { ctx.emit("before", 1); await ctx.http.get(ctx.input.url); ctx.emit("after", 2); return "done"; }`,
  );
  await service.deploy(
    "flood",
    `export const execute = (ctx) => { for (let i = 0; i < 4000; i++) ctx.emit("row", i + ".".repeat(4000)); return "end"; }`,
  );
});
afterAll(async () => {
  openGate();
  await service.close();
  gate.closeAllConnections();
  await new Promise((resolve) => gate.close(resolve));
});

const streamed = async (ref: string, headers: Readonly<Record<string, string>> = {}, input: unknown = {}) => {
  const response = await service.invoke(ref, { input, stream: true, no_cache: true }, headers);
  return { response, text: await response.text() };
};

describe("framing C+", () => {
  test("is exactly the documented bytes", async () => {
    const { response, text } = await streamed("steps", { "x-request-id": "d4f7e2a1" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(response.headers.get("x-request-id")).toBe("d4f7e2a1");
    expect(response.headers.get("x-weft-cache")).toBe("bypass");
    const [, id = "", created = ""] = /"id":"(chatcmpl-[0-9a-f]{32})","created":(\d+)/.exec(text) ?? [];
    const head = `data: {"id":"${id}","created":${created},"model":"workflow:steps"`;
    const chunk = `${head},"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":null}]`;
    const answer = `{"role":"assistant","content":"{\\"rows\\":3}"}`;
    expect(text).toBe(
      [
        ": ok",
        `${chunk},"type":"progress","content":{"pct":50}}`,
        `${chunk},"type":"note","content":null}`,
        `${head},"object":"chat.completion","choices":[{"index":0,"message":${answer},"delta":${answer},"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0},"output":{"rows":3},"request_id":"d4f7e2a1"}`,
        "data: [DONE]",
        "",
      ].join("\n\n"),
    );
    expect(response.headers.get("x-weft-execution-id")).toBe(`exec_${id.slice("chatcmpl-".length)}`);
  });

  test("text of ctx.write travels as deltas and is not repeated in the final frame", async () => {
    const frames = framesOf((await streamed("writer")).text);
    const shown = frames.map(({ type, content, choices }) => ({ type, content, choices }));
    const chunk = (delta: object) => [{ index: 0, delta, finish_reason: null }];
    expect(shown).toEqual([
      { type: "delta", content: "Hel", choices: chunk({ role: "assistant", content: "Hel" }) },
      { type: "half", content: 1, choices: chunk({}) },
      { type: "delta", content: "lo", choices: chunk({ role: "assistant", content: "lo" }) },
      {
        type: undefined,
        content: undefined,
        choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, delta: {}, finish_reason: "stop" }],
      },
    ]);
  });

  test("message is left out for the helper of the openai client", async () => {
    const { text } = await streamed("steps", { "x-stainless-helper-method": "stream" });
    expect(framesOf(text).at(-1)?.["choices"]).toEqual([
      { index: 0, delta: { role: "assistant", content: '{"rows":3}' }, finish_reason: "stop" },
    ]);
  });

  test("a chunk's type never becomes a field of the frame or an event name", async () => {
    const { text } = await streamed("typed");
    expect(text).not.toContain("event:");
    const [first, second, last] = framesOf(text);
    expect(first).toMatchObject({ type: "error", content: "x" });
    expect(first).not.toHaveProperty("error");
    expect(second).toMatchObject({ type: "delta", content: "y", choices: [{ delta: {} }] });
    expect(last).toMatchObject({ output: "é\n", choices: [{ message: { content: "é\n" } }] });
  });

  test("a repeated call replays its chunks from the cache", async () => {
    const call = async () => {
      const response = await service.invoke("steps", { input: { replay: 1 }, stream: true });
      return { cache: response.headers.get("x-weft-cache"), frames: framesOf(await response.text()) };
    };
    const first = await call();
    const second = await call();
    expect([first.cache, second.cache]).toEqual(["miss", "hit"]);
    const shown = (frames: typeof first.frames) =>
      frames.map(({ type, content, output }) => ({ type, content, output }));
    expect(shown(second.frames)).toEqual(shown(first.frames));
  });
});

test("framing D has the text in a frame of its own", async () => {
  const frames = framesOf((await streamed("steps", { "x-workflow-stream": "split" })).text);
  const answer = { role: "assistant", content: '{"rows":3}' };
  expect(frames.slice(-2)).toMatchObject([
    { object: "chat.completion.chunk", type: "output", content: '{"rows":3}', choices: [{ delta: answer }] },
    {
      object: "chat.completion",
      output: { rows: 3 },
      choices: [{ message: answer, delta: {}, finish_reason: "stop" }],
    },
  ]);
});

test("a run that fails after the start ends with an error frame and [DONE]", async () => {
  const { response, text } = await streamed("broken");
  expect(response.status).toBe(200);
  const payloads = payloadsOf(text);
  expect(payloads).toHaveLength(3);
  expect(payloads[2]).toBe("[DONE]");
  expect(JSON.parse(payloads[1] ?? "")).toEqual({
    error: {
      message: "no luck",
      type: "workflow_error",
      code: "workflow_execution_error",
      param: null,
      status: 500,
      request_id: response.headers.get("x-request-id"),
      details: expect.objectContaining({ file: "broken.ts", line: 1 }),
    },
  });
});

test("what is known before the run is a plain status, also for streams", async () => {
  const status = async (body: object, path = "steps") =>
    (await service.post("/v1/chat/completions", { model: `workflow:${path}`, stream: true, ...body })).status;
  expect(await status({})).toBe(400);
  expect(await status({ input: 1 }, "nowhere")).toBe(404);
  expect(await status({ input: 1, timeout_seconds: -1 })).toBe(400);
});

test("a chunk reaches the reader while the script still runs", async () => {
  const response = await service.invoke("gated", { input: { url: gateUrl }, stream: true });
  const reader = readerOf(response);
  expect(await reader.to('"type":"before"')).not.toContain('"type":"after"');
  await until(async () => waiting.length > 0);
  openGate();
  expect(framesOf(await reader.toEnd()).map((frame) => frame["type"])).toEqual(["before", "after", undefined]);
});

describe("a reader that goes away", () => {
  const come = (body: object, signal: AbortSignal, headers = {}) =>
    service.send("/workflow/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "workflow:gated", input: { url: gateUrl, id: crypto.randomUUID() }, ...body }),
      signal,
    });
  const leave = async (body: object) => {
    const leaving = new AbortController();
    const response = await come(body, leaving.signal);
    await until(async () => waiting.length > 0);
    leaving.abort();
    return response.headers.get("x-weft-execution-id");
  };
  const statusOf = async (id: string | null) =>
    ((await (await service.send(`/api/v1/runs/${id}`)).json()) as { data: { status: string } }).data.status;

  test("leaves the run going", async () => {
    const id = await leave({ stream: true });
    expect(await statusOf(id)).toBe("running");
    openGate();
    expect(await until(async () => (await statusOf(id)) === "completed")).toBe(true);
  });

  test("leaves a run that it joined as its own request says, not as the first one's", async () => {
    const input = { url: gateUrl, id: crypto.randomUUID() };
    const [first, second] = [new AbortController(), new AbortController()];
    const response = await come({ input, stream: true, on_disconnect: "cancel" }, first.signal);
    const joined = await come({ input, stream: true }, second.signal, { "x-stainless-retry-count": "1" });
    const id = response.headers.get("x-weft-execution-id");
    expect(joined.headers.get("x-weft-execution-id")).toBe(id);
    await until(async () => waiting.length > 0);
    first.abort();
    second.abort();
    for (let i = 0; i < 5; i++) expect(await statusOf(id)).toBe("running");
    openGate();
    expect(await until(async () => (await statusOf(id)) === "completed")).toBe(true);
  });

  test("cancels it when the request says so", async () => {
    const id = await leave({ stream: true, on_disconnect: "cancel" });
    expect(await until(async () => (await statusOf(id)) === "cancelled")).toBe(true);
    openGate();
  });
});

test("a reader that is slow gets every chunk, in order", async () => {
  const response = await service.invoke("flood", { input: { slow: 1 }, stream: true });
  const id = response.headers.get("x-weft-execution-id");
  // The run is over and stored while nobody reads: 16 MB that the server does not keep in memory.
  await until(async () => {
    const run = (await (await service.send(`/api/v1/runs/${id}`)).json()) as { data: { status: string } };
    return run.data.status === "completed";
  });
  const frames = framesOf(await response.text());
  expect(frames).toHaveLength(4001);
  expect(frames.slice(0, -1).every((frame, i) => String(frame["content"]).startsWith(`${i}.`))).toBe(true);
  expect(frames.at(-1)).toMatchObject({ output: "end" });
});
