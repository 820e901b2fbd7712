import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { AGENT_TOOL_OPS } from "../../runtime/capabilities/agent-tools.ts";
import type { Op } from "../../runtime/capabilities/capability.ts";
import { createEgressClient, type EgressClient } from "../../runtime/egress/client.ts";
import type { ExecutionJob } from "../../runtime/execution.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { createModelClient } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { createMcpSessions, type McpSessions } from "../../runtime/tools/mcp/sessions.ts";
import type { ToolCallResult, ToolListResult } from "../../runtime/tools/types.ts";
import { testCall } from "../capabilities/op-call.ts";
import { startMcpServer, type TestMcpServer } from "../support/mcp-server.ts";

let egress: EgressClient;
const sessions: McpSessions[] = [];
let server: TestMcpServer;
let plain: TestMcpServer;
const events: string[] = [];

beforeAll(async () => {
  egress = createEgressClient({ allowPrivate: ["127.0.0.0/8"] });
  server = await startMcpServer({
    tools(mcp) {
      mcp.registerTool(
        "add",
        { description: "Adds two numbers.", inputSchema: { a: z.number(), b: z.number() } },
        ({ a, b }) => ({ content: [{ type: "text", text: String(a + b) }] }),
      );
      mcp.registerTool("fail", { description: "Fails." }, () => ({
        isError: true,
        content: [{ type: "text", text: "no such order" }],
      }));
      mcp.registerTool("show.all", { description: "Every kind of content." }, () => ({
        content: [
          { type: "image", data: "AAAA", mimeType: "image/png" },
          { type: "resource", resource: { uri: "file:///a.txt", text: "inside" } },
          { type: "resource_link", uri: "https://example.com/b", name: "b" },
        ],
      }));
      mcp.registerTool("structure", { outputSchema: { n: z.number() } }, () => ({
        content: [],
        structuredContent: { n: 7 },
      }));
      mcp.registerTool("long", {}, () => ({ content: [{ type: "text", text: "é".repeat(1_000) }] }));
      mcp.registerTool("wait", {}, async ({ signal }) => {
        events.push("waits");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        events.push("was told");
        return { content: [] };
      });
      mcp.registerTool("progress", {}, async ({ sendNotification }) => {
        await sendNotification({ method: "notifications/progress", params: { progressToken: 1, progress: 1 } });
        return { content: [{ type: "text", text: "done" }] };
      });
    },
  });
  plain = await startMcpServer({
    json: true,
    stateless: true,
    tools: (mcp) =>
      mcp.registerTool("echo", { inputSchema: { text: z.string() } }, ({ text }) => ({
        content: [{ type: "text", text }],
      })),
  });
});

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((each) => each.close()));
});

afterAll(async () => {
  await Promise.all([server.close(), plain.close(), egress.close()]);
});

function pool(options: { idleMs?: number; maxKept?: number } = {}): McpSessions {
  const made = createMcpSessions({ egress, ...options });
  sessions.push(made);
  return made;
}

interface Asked {
  readonly mcp?: McpSessions;
  readonly job?: Partial<ExecutionJob>;
  readonly signal?: AbortSignal;
}

async function ask<T>(name: string, args: unknown, { mcp = pool(), ...options }: Asked): Promise<T> {
  const models = createModelClient(parseModels({ file: null, env: {} }));
  const op = AGENT_TOOL_OPS[name] as Op;
  const call = testCall({ services: { egress, models, mcp }, ...options });
  return JSON.parse(await op.run(op.parse(args, call.scope), call)) as T;
}

const list = (url: string, more: object = {}, options: Asked = {}) =>
  ask<ToolListResult>("agents.tools", { server: { url }, ...more }, options);
const use = (url: string, name: string, args: object = {}, options: Asked = {}) =>
  ask<ToolCallResult>("agents.tool", { tool: { type: "mcp", server: { url }, name }, arguments: args }, options);

describe("a server's tools", () => {
  test("are listed with names that model services take", async () => {
    const { tools, label, left_out: leftOut } = await list(server.url);
    expect(tools.map(({ name, tool }) => [name, tool])).toContainEqual(["show_all", "show.all"]);
    expect(tools.find(({ name }) => name === "add")).toMatchObject({
      description: "Adds two numbers.",
      parameters: { type: "object", required: ["a", "b"] },
    });
    expect([label, leftOut]).toEqual(["127_0_0_1", []]);
  });

  test("are those that allow names; one that does not exist is an error", async () => {
    const { tools } = await list(server.url, { allow: ["add", "fail"] });
    expect(tools.map(({ tool }) => tool)).toEqual(["add", "fail"]);
    await expect(list(server.url, { allow: ["gone"] })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: `agents: the MCP server ${server.url}, tools/list: allow names "gone": the server has no such tool`,
    });
  });

  test("answer with text, also over JSON and without sessions", async () => {
    expect(await use(server.url, "add", { a: 1, b: 2 })).toEqual({ content: "3", is_error: false });
    expect(await use(plain.url, "echo", { text: "hi" })).toEqual({ content: "hi", is_error: false });
    expect(await use(server.url, "progress")).toEqual({ content: "done", is_error: false });
  });

  test("may refuse and fail: the model is told", async () => {
    expect(await use(server.url, "fail")).toEqual({ content: "no such order", is_error: true });
    const wrong = await use(server.url, "add", { a: "x" });
    expect(wrong.is_error).toBe(true);
    expect(wrong.content).toContain("Invalid arguments");
    expect((await use(server.url, "gone")).is_error).toBe(true);
  });

  test("may answer with other things than text", async () => {
    const { content } = await use(server.url, "show.all");
    expect(content).toBe(
      "[image: image/png, 3 bytes]\n[resource file:///a.txt]\ninside\n[link to https://example.com/b: b]",
    );
    expect(await use(server.url, "structure")).toEqual({ content: '{"n":7}', is_error: false });
  });

  test("may answer at length: the text is cut where the limit says", async () => {
    const limits = { ...DEFAULT_LIMITS, maxToolTextBytes: 11 };
    const { content } = await use(server.url, "long", {}, { job: { limits } });
    expect(content).toBe("ééééé\n[cut: 2000 bytes, of which 11 are shown (maxToolTextBytes)]");
  });
});

describe("sessions", () => {
  test("are shared by the calls of an account, also at once, and end when they are idle", async () => {
    const before = server.requests.length;
    const mcp = pool({ idleMs: 20 });
    await list(server.url, {}, { mcp });
    await Promise.all([1, 2, 3].map((n) => use(server.url, "add", { a: n, b: n }, { mcp })));
    const asked = server.requests.slice(before).map(({ body }) => body);
    expect(asked.filter((body) => body.includes('"initialize"'))).toHaveLength(1);
    await expect.poll(() => mcp.size, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => server.sessions(), { timeout: 10_000 }).toBe(0);
  });

  test("are never shared between accounts or headers", async () => {
    const mcp = pool();
    await list(server.url, {}, { mcp });
    await list(server.url, {}, { mcp, job: { accountId: "other" } });
    await ask("agents.tools", { server: { url: server.url, headers: { "x-key": "1" } } }, { mcp });
    expect(mcp.size).toBe(3);
    await mcp.close();
    await expect.poll(() => server.sessions(), { timeout: 10_000 }).toBe(0);
  });

  test("that the server has forgotten are opened anew, and the call is made once", async () => {
    const mcp = pool();
    await list(server.url, {}, { mcp });
    server.forget();
    expect(await use(server.url, "add", { a: 2, b: 2 }, { mcp })).toEqual({ content: "4", is_error: false });
  });

  test("are kept up to a number", async () => {
    const mcp = pool({ maxKept: 2 });
    for (const accountId of ["a", "b", "c"]) await list(server.url, {}, { mcp, job: { accountId } });
    expect(mcp.size).toBe(2);
  });
});

test("a call that is given up ends at once, and the server is told", async () => {
  const controller = new AbortController();
  const called = use(server.url, "wait", {}, { signal: controller.signal });
  await expect.poll(() => events, { timeout: 10_000 }).toEqual(["waits"]);
  controller.abort();
  await expect(called).rejects.toMatchObject({ code: "EXECUTION_CANCELLED" });
  await expect.poll(() => events, { timeout: 10_000 }).toEqual(["waits", "was told"]);
});

test("a server that takes too long is an error that names it, what was asked and the limit", async () => {
  const limits = { ...DEFAULT_LIMITS, toolTimeoutMs: 300 };
  await expect(use(server.url, "wait", {}, { job: { limits } })).rejects.toMatchObject({
    code: "UPSTREAM_TIMEOUT",
    message: `agents: the MCP server ${server.url}, tools/call: no answer within 300 ms (toolTimeoutMs)`,
    details: { limit: "toolTimeoutMs", value: 300 },
  });
});

test("what repeats the value of a handle has its text instead, also where the answer is cut off within it", async () => {
  const handle = { name: "KEY", text: "weft_secret_text", value: "0123456789", hosts: ["127.0.0.1"] };
  const limits = { ...DEFAULT_LIMITS, maxToolTextBytes: 24 };
  const job = { limits, secrets: { KEY: handle.text }, handles: [handle] };
  const text = `${"x".repeat(5)}${handle.text}${"y".repeat(50)}`;
  const { content } = await use(plain.url, "echo", { text }, { job });
  expect(plain.requests.at(-1)?.body).toContain("0123456789");
  expect(content).toMatch(/^xxxxxweft_secret/);
  const elsewhere = { ...job, handles: [{ ...handle, hosts: ["mcp.example.com"] }] };
  await expect(use(plain.url, "echo", { text }, { job: elsewhere })).rejects.toMatchObject({
    code: "CAPABILITY_DENIED",
    message: expect.stringContaining("its hosts are mcp.example.com"),
  });
});

test("credentials are filled in here, from the secrets of the call and the workflow's env", async () => {
  const job = { secrets: { TOKEN: "s3cr3t-value" }, data: '{"env":{"TEAM":"blue"}}' };
  const headers = { authorization: "Bearer {{secrets.TOKEN}}", "x-team": "{{ env.TEAM }}" };
  const call = testCall({
    services: { egress, mcp: pool(), models: createModelClient(parseModels({ file: null, env: {} })) },
    job,
  });
  const scope = { ...call.scope, env: { TEAM: "blue" } };
  const op = AGENT_TOOL_OPS["agents.tools"] as Op;
  await op.run(op.parse({ server: { url: server.url, headers } }, scope), { ...call, scope });
  expect(server.requests.at(-1)?.headers).toMatchObject({ authorization: "Bearer s3cr3t-value", "x-team": "blue" });
  const handle = { name: "TOKEN", text: "weft_secret_text", value: "value-of-a-handle", hosts: ["127.0.0.1"] };
  const { job: plain, ...rest } = scope;
  const withHandle = { ...rest, job: { ...plain, secrets: { TOKEN: handle.text }, handles: [handle] } };
  await op.run(op.parse({ server: { url: server.url, headers } }, withHandle), { ...call, scope: withHandle });
  expect(server.requests.at(-1)?.headers).toMatchObject({ authorization: "Bearer value-of-a-handle" });
  const without = ask(
    "agents.tools",
    { server: { url: server.url, headers: { authorization: "{{secrets.NONE}}" } } },
    {},
  );
  await expect(without).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: 'agents: a tool needs the secret "NONE", which the call was not given',
  });
});
