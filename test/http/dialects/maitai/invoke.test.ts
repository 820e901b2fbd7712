import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
let gate: Server;
let gateUrl = "";
let gateCalls = 0;
const waiting: (() => void)[] = [];
const openGate = () => {
  for (const go of waiting.splice(0)) go();
};

beforeAll(async () => {
  service = await startService();
  gate = createServer((_request, response) => {
    gateCalls++;
    waiting.push(() => response.end("go"));
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  gateUrl = `http://127.0.0.1:${(gate.address() as AddressInfo).port}/`;
  await service.deploy("rows", `export const execute = () => ({ rows: 3 });`);
  await service.deploy("text", `export const execute = () => "Here is \\"it\\"";`);
  await service.deploy("nothing", `export const execute = () => null;`);
  await service.deploy(
    "show",
    `export const execute = (ctx) => ({ input: ctx.input, messages: ctx.messages, params: ctx.params, metadata: ctx.metadata,
      secret: ctx.secrets.TOKEN?.length ?? null, session: ctx.session_id, request: ctx.request_id });`,
  );
  await service.deploy(
    "gated",
    `export async function execute(ctx) { await ctx.http.get(ctx.input.url); return "done"; }`,
  );
});
afterAll(async () => {
  openGate();
  await service.close();
  gate.closeAllConnections();
  await new Promise((resolve) => gate.close(resolve));
});

const outputOf = async (response: Response) => ((await response.json()) as { output: Record<string, unknown> }).output;

describe("the answer", () => {
  test("is exactly the documented chat.completion", async () => {
    const headers = { "x-request-id": "d4f7e2a1-1" };
    const response = await service.invoke("rows", { input: {}, session_id: "s-1" }, headers);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(response.headers.get("x-request-id")).toBe("d4f7e2a1-1");
    expect(response.headers.get("x-weft-cache")).toBe("miss");
    expect(response.headers.get("x-workflow-cache")).toBe("miss");
    const id = `chatcmpl-${response.headers.get("x-weft-execution-id")?.slice("exec_".length)}`;
    const body = await response.text();
    const created = /"created":(\d+)/.exec(body)?.[1];
    expect(body).toBe(
      `{"id":"${id}","object":"chat.completion","created":${created},"model":"workflow:rows",` +
        `"choices":[{"index":0,"message":{"role":"assistant","content":"{\\"rows\\":3}"},"finish_reason":"stop"}],` +
        `"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0},"output":{"rows":3},"session_id":"s-1","request_id":"d4f7e2a1-1"}`,
    );
  });

  test("has a returned string as content, without quotes", async () => {
    const body = await (await service.invoke("text")).json();
    expect(body).toMatchObject({ output: 'Here is "it"', choices: [{ message: { content: 'Here is "it"' } }] });
  });

  test("has null as output and as text when the script returns null", async () => {
    const body = await (await service.invoke("nothing")).json();
    expect(body).toMatchObject({ output: null, choices: [{ message: { content: "null" } }] });
  });

  test("says hit for a repeated call, and bypass when the caller wants no cache", async () => {
    const call = async (extra: object) => {
      const response = await service.invoke("rows", { input: { n: 2 }, ...extra });
      return response.headers.get("x-weft-cache");
    };
    expect(await call({})).toBe("miss");
    expect(await call({})).toBe("hit");
    expect(await call({ no_cache: true })).toBe("bypass");
    expect(await call({ cache: "no-store" })).toBe("bypass");
    expect(await call({ cache: "reload" })).toBe("miss");
  });

  test.each(["/workflow/chat/completions", "/workflow/v1/chat/completions", "/v1/chat/completions"])(
    "comes from %s",
    async (path) => {
      expect((await service.post(path, { model: "workflow:rows", input: 1 })).status).toBe(200);
    },
  );
});

describe("the request", () => {
  test("reaches the script", async () => {
    const body = {
      input: { a: [1, null] },
      messages: [{ role: "user", content: "hi" }],
      metadata: { deep: { er: true } },
      secrets: { TOKEN: "tok-123456" },
      session_id: "my-session",
      temperature: 0.5,
      max_tokens: 7,
      stream: false,
      __proto__of: 1,
    };
    const output = await outputOf(await service.invoke("show", body, { "x-request-id": "mine" }));
    expect(output).toEqual({
      input: body.input,
      messages: body.messages,
      params: { temperature: 0.5, max_tokens: 7, stream: false, __proto__of: 1 },
      metadata: body.metadata,
      secret: 10,
      session: "my-session",
      request: "mine",
    });
  });

  test("may have null where a member is optional", async () => {
    const nulls = { messages: null, session_id: null, stream: null, secrets: null, metadata: null };
    const output = await outputOf(await service.invoke("show", { input: "x", ...nulls }));
    expect(output).toMatchObject({ input: "x", messages: [], metadata: {}, secret: null });
  });

  test("keeps a key called __proto__ as data", async () => {
    const response = await service.send("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"model":"workflow:show","input":{"__proto__":{"x":1}},"__proto__":{"y":2}}`,
    });
    expect(await response.text()).toContain(`"output":{"input":{"__proto__":{"x":1}}`);
  });

  test.each([0, "", false])("input %j is an input", async (input) => {
    expect(await outputOf(await service.invoke("show", { input }))).toMatchObject({ input });
  });

  test("messages alone are enough", async () => {
    const output = await outputOf(await service.invoke("show", { messages: [{ role: "user", content: "hi" }] }));
    expect(output).toMatchObject({ input: null, messages: [{ content: "hi" }] });
  });

  test.each<[object]>([[{}], [{ input: null }], [{ messages: [] }], [{ input: null, messages: [] }]])(
    "%j lacks input and messages",
    async (body) => {
      const response = await service.invoke("show", body as Record<string, unknown>);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code: "missing_input", type: "invalid_request_error" } });
    },
  );

  test.each(["gpt-4o", "workflow:", "rows", "workflow:a b", "workflow:rows@"])("model %j is refused", async (model) => {
    const response = await service.post("/v1/chat/completions", { model, input: 1 });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error).toMatchObject({ code: "invalid_model", param: "model" });
    expect(error.message).toContain(JSON.stringify(model));
  });

  test.each<[Record<string, unknown>, string]>([
    [{ messages: "hi" }, "messages"],
    [{ messages: ["hi"] }, "messages.0"],
    [{ stream: "yes" }, "stream"],
    [{ secrets: { A: 1 } }, "secrets.A"],
    [{ metadata: [] }, "metadata"],
    [{ cache: "always" }, "cache"],
    [{ timeout_seconds: 0 }, "timeout_seconds"],
    [{ timeout_seconds: "10" }, "timeout_seconds"],
    [{ on_disconnect: "explode" }, "on_disconnect"],
    [{ session_id: 5 }, "session_id"],
    [{ background: 1 }, "background"],
  ])("%j names the field", async (extra, param) => {
    const response = await service.invoke("rows", { input: 1, ...extra });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(error).toMatchObject({ type: "invalid_request_error", param });
    expect(error.message).toContain(param);
  });

  test("background and stream exclude each other", async () => {
    const response = await service.invoke("rows", { input: 1, background: true, stream: true });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: "background" } });
  });

  test("may name a version", async () => {
    const call = (version: string) => service.invoke(`rows@${version}`, { input: 1 });
    expect((await call("1.0.0")).status).toBe(200);
    expect((await call("draft")).status).toBe(200);
    const missing = await call("9.9.9");
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ error: { code: "version_not_found" } });
  });
});

describe("a call that is repeated", () => {
  const body = () => ({ model: "workflow:gated", input: { url: gateUrl, id: crypto.randomUUID() } });

  test("joins the run that is still under way when the client says it is a retry", async () => {
    const call = body();
    const before = gateCalls;
    const first = service.post("/v1/chat/completions", call);
    await until(async () => gateCalls > before);
    const second = service.post("/v1/chat/completions", call, { "x-stainless-retry-count": "1" });
    // The second call is on its way into the engine: any request sent later is answered after it joined.
    await service.send("/v1/models");
    await until(async () => waiting.length > 0);
    openGate();
    const [a, b] = await Promise.all([first, second]);
    expect(b.headers.get("x-weft-execution-id")).toBe(a.headers.get("x-weft-execution-id"));
    expect(gateCalls).toBe(before + 1);
  });

  test("is the same run under one Idempotency-Key, and a conflict with another body", async () => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const post = (n: number) => service.invoke("rows", { input: { n } }, headers);
    const [a, b] = [await post(1), await post(1)];
    expect(b.headers.get("x-weft-execution-id")).toBe(a.headers.get("x-weft-execution-id"));
    const other = await post(2);
    expect(other.status).toBe(409);
    expect(other.headers.get("x-should-retry")).toBe("false");
    expect(await other.json()).toMatchObject({ error: { code: "conflict" } });
  });

  test("an Idempotency-Key over its length is refused", async () => {
    const response = await service.invoke("rows", { input: 1 }, { "idempotency-key": "k".repeat(256) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining("255") } });
  });
});

test("a caller that goes away cancels its run when the request says so, without a stream, too", async () => {
  const leaving = new AbortController();
  const marker = crypto.randomUUID();
  const call = service.send("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", "x-request-id": marker },
    body: JSON.stringify({ model: "workflow:gated", input: { url: gateUrl, marker }, on_disconnect: "cancel" }),
    signal: leaving.signal,
  });
  await until(async () => waiting.length > 0);
  leaving.abort();
  await expect(call).rejects.toThrow();
  const run = async () => {
    const { data } = (await (await service.send("/api/v1/workflows/gated/runs?limit=5")).json()) as {
      data: readonly { request_id: string; status: string }[];
    };
    return data.find((item) => item.request_id === marker)?.status === "cancelled";
  };
  expect(await until(run)).toBe(true);
  openGate();
});
