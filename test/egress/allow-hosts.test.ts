import { afterAll, beforeAll, expect, test } from "vitest";
import { createEgressClient } from "../../runtime/egress/client.ts";
import { call, type Send, sender, upload } from "../http/access/client.ts";
import { makeDataDir } from "../support/data-dir.ts";
import { startMcpServer, type TestMcpServer } from "../support/mcp-server.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { rejectionOf } from "../support/thrown.ts";
import { until } from "../support/until.ts";
import { startWebStub, type WebStub } from "./upstream.ts";

// The server's own allow-list, for everything of a script that reaches out: two services each, one listed, one not.

let stub: ModelStub;
let listed: WebStub;
let other: WebStub;
let listedMcp: TestMcpServer;
let otherMcp: TestMcpServer;
let server: TestServer;
let send: Send;
const paths: string[] = [];

const web = (name: string) =>
  startWebStub((request, response) => {
    paths.push(`${name} ${request.url}`);
    response.writeHead(200, { "content-type": "text/plain" }).end("reached");
  });
const mcp = () =>
  startMcpServer({
    tools: (one) =>
      one.registerTool("ping", { description: "pings" }, () => ({ content: [{ type: "text", text: "pong" }] })),
  });

beforeAll(async () => {
  [stub, listed, other, listedMcp, otherMcp] = await Promise.all([
    startModelStub(),
    web("listed"),
    web("other"),
    mcp(),
    mcp(),
  ]);
  server = await startTestServer({
    ...{ OPENAI_API_KEY: "sk-stub", OPENAI_BASE_URL: stub.url, WEFT_HTTP_ALLOW_PRIVATE: "127.0.0.0/8" },
    WEFT_HTTP_ALLOW_HOSTS: [listed.url, listedMcp.url].map((url) => new URL(url).host).join(","),
  });
  send = sender(server, server.apiKey);
  await upload(send, "get", "export const execute = async (ctx) => (await ctx.http.get(ctx.input)).text();");
  await upload(
    send,
    "tools",
    `export async function execute(ctx) {
      const { choices } = await ctx.chat.completions.runTools({ messages: [{ role: "user", content: "hi" }], tools: ctx.input });
      return choices[0].message.content;
    }`,
  );
  await upload(send, "echo", "export const execute = (ctx) => ctx.input;");
});
afterAll(async () => {
  await server.close();
  await Promise.all([stub, listed, other, listedMcp, otherMcp].map((one) => one.close()));
});

const told = () => JSON.stringify(stub.calls.at(-1)?.body["messages"]);

test("a script's request", async () => {
  expect((await call(send, "get", { input: `${listed.url}/script` })).body["output"]).toBe("reached");
  const denied = await call(send, "get", { input: `${other.url}/script` });
  expect(JSON.stringify(denied.body)).toContain("WEFT_HTTP_ALLOW_HOSTS");
  expect(paths).toEqual(["listed /script"]);
});

test("an HTTP tool of an agent", async () => {
  paths.length = 0;
  for (const { url } of [listed, other]) {
    stub.script({ toolCalls: [{ name: "page", arguments: "{}" }] }, { content: "done" });
    const tool = { type: "http", name: "page", parameters: { type: "object" }, request: { url: `${url}/tool` } };
    expect((await call(send, "tools", { input: [tool] })).body["output"]).toBe("done");
    expect(told()).toContain(url === listed.url ? "reached" : "WEFT_HTTP_ALLOW_HOSTS");
  }
  expect(paths).toEqual(["listed /tool"]);
});

test("an MCP server of an agent", async () => {
  stub.script({ toolCalls: [{ name: "ping", arguments: "{}" }] }, { content: "done" });
  expect((await call(send, "tools", { input: [{ type: "mcp", server: { url: listedMcp.url } }] })).body["output"]).toBe(
    "done",
  );
  expect(told()).toContain("pong");
  const paid = stub.calls.length;
  const denied = await call(send, "tools", { input: [{ type: "mcp", server: { url: otherMcp.url } }] });
  expect(JSON.stringify(denied.body)).toContain("WEFT_HTTP_ALLOW_HOSTS");
  expect(stub.calls.length).toBe(paid);
  expect(otherMcp.requests).toEqual([]);
});

test("a webhook, whether one call names it or an endpoint is made for all", async () => {
  paths.length = 0;
  for (const { url } of [other, listed]) {
    const answer = await call(send, "echo", { webhook_url: `${url}/hook` });
    expect(answer.status).toBe(url === listed.url ? 200 : 400);
    if (url === other.url) expect(JSON.stringify(answer.body)).toContain("WEFT_HTTP_ALLOW_HOSTS");
  }
  const made = await send("POST", "/api/v1/webhooks", { url: `${other.url}/endpoint` });
  expect(made.status).toBe(400);
  expect(JSON.stringify(made.body)).toContain("WEFT_HTTP_ALLOW_HOSTS");
  await until(() => paths.length > 0);
  expect(paths).toEqual(["listed /hook"]);
});

test("an agent and a webhook that were made before there was a list are bounded by it, too", async () => {
  paths.length = 0;
  const dataDir = await makeDataDir();
  const environment = {
    ...{ OPENAI_API_KEY: "sk-stub", OPENAI_BASE_URL: stub.url, WEFT_DATA_DIR: dataDir.path },
    WEFT_HTTP_ALLOW_PRIVATE: "127.0.0.0/8",
  };
  const url = `${other.url}/stored`;
  const tool = { type: "http", name: "page", parameters: { type: "object" }, request: { url } };
  const before = await startTestServer(environment);
  try {
    const ask = sender(before, before.apiKey);
    expect((await ask("POST", "/api/v1/agents", { name: "reader", tools: [tool] })).status).toBe(200);
    await upload(ask, "echo", "export const execute = (ctx) => ctx.input;");
    await upload(ask, "agent", 'export const execute = (ctx) => ctx.agents.run("reader", "go");');
    expect((await ask("POST", "/api/v1/webhooks", { url })).status).toBe(200);
  } finally {
    await before.close();
  }
  const after = await startTestServer({ ...environment, WEFT_HTTP_ALLOW_HOSTS: new URL(listed.url).host });
  try {
    const ask = sender(after, after.apiKey);
    stub.script({ toolCalls: [{ name: "page", arguments: "{}" }] }, { content: "done" });
    expect((await call(ask, "agent")).status).toBe(200);
    expect(told()).toContain("WEFT_HTTP_ALLOW_HOSTS");
    expect((await call(ask, "echo")).status).toBe(200);
    const LOG = "/api/v1/webhook-deliveries";
    const list = async () => (await ask("GET", LOG)).body["data"] as readonly { id: string; status: string }[];
    const deliveries = await until(list, (all) => all.length === 2 && all.every(({ status }) => status === "failed"));
    for (const { id } of deliveries) {
      const { data } = await ask("GET", `${LOG}/${id}`);
      const refused = { status: null, error: expect.stringContaining("WEFT_HTTP_ALLOW_HOSTS") };
      expect(data).toMatchObject({ status: "failed", next_attempt_at: null, log: [refused] });
    }
    expect(paths).toEqual([]);
  } finally {
    await after.close();
    await dataDir.remove();
  }
});

test("a list of names opens no address: neither a literal one, nor a private one behind a name", async () => {
  const { port } = new URL(listed.url);
  const common = { method: "GET", headers: {}, body: null, allow: null, redirect: "follow", maxBytes: 100 } as const;
  const ask = (url: string) => ({ ...common, url, timeoutMs: 10_000, signal: new AbortController().signal });
  const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
  const name = `service.example.com:${port}`;
  const opened = createEgressClient({ allowPrivate: ["127.0.0.0/8"], allowHosts: [name], resolve });
  const closed = createEgressClient({ allowPrivate: [], allowHosts: [name], resolve });
  try {
    expect((await opened.request(ask(`http://${name}/named`))).status).toBe(200);
    const literal = await rejectionOf(opened.request(ask(`http://127.0.0.1:${port}/literal`)));
    expect(literal).toMatchObject({ code: "CAPABILITY_DENIED", details: { setting: "WEFT_HTTP_ALLOW_HOSTS" } });
    const behind = await rejectionOf(closed.request(ask(`http://${name}/behind`)));
    expect(behind).toMatchObject({ code: "CAPABILITY_DENIED", details: { reason: "loopback" } });
  } finally {
    await Promise.all([opened.close(), closed.close()]);
  }
});
