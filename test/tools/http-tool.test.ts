import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AGENT_TOOL_OPS } from "../../runtime/capabilities/agent-tools.ts";
import type { Op } from "../../runtime/capabilities/capability.ts";
import { createEgressClient, type EgressClient } from "../../runtime/egress/client.ts";
import type { ExecutionJob } from "../../runtime/execution.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { createModelClient } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { createMcpSessions } from "../../runtime/tools/mcp/sessions.ts";
import type { ToolCallResult } from "../../runtime/tools/types.ts";
import { testCall } from "../capabilities/op-call.ts";
import { startWebStub, type WebStub } from "../egress/upstream.ts";

const op = AGENT_TOOL_OPS["agents.tool"] as Op;
let web: WebStub;
let egress: EgressClient;
let answers: readonly [status: number, type: string, body: string | Buffer] = [200, "application/json", "{}"];

beforeAll(async () => {
  egress = createEgressClient({ allowPrivate: ["127.0.0.1/32"] });
  web = await startWebStub((_request, response) => {
    const [status, type, body] = answers;
    if (status !== 0) response.writeHead(status, { "content-type": type }).end(body);
  });
});

beforeEach(() => {
  answers = [200, "application/json", '{"ok":true}'];
});

afterAll(async () => {
  await egress.close();
  await web.close();
});

interface Asked {
  readonly job?: Partial<ExecutionJob>;
  readonly env?: Readonly<Record<string, string>>;
}

async function use(request: object, args: unknown = {}, { job = {}, env = {} }: Asked = {}): Promise<ToolCallResult> {
  const models = createModelClient(parseModels({ file: null, env: {} }));
  const call = testCall({ services: { egress, models, mcp: createMcpSessions({ egress }) }, job });
  const scope = { ...call.scope, env };
  const parsed = op.parse({ tool: { type: "http", name: "find_order", request }, arguments: args }, scope);
  return JSON.parse(await op.run(parsed, { ...call, scope })) as ToolCallResult;
}

const last = () => ({ ...web.requests.at(-1), path: web.requests.at(-1)?.request.url });
const headersOf = () => web.requests.at(-1)?.request.headers;

describe("the request", () => {
  test("has arguments in path and query, percent-encoded", async () => {
    const url = `${web.url}/orders/{{id}}/{{ part }}.json?raw={{id}}`;
    await use({ url, query: { q: "{{q}}", none: "{{none}}", fixed: "1" } }, { id: "a/b?c#d", part: 7, q: "ä&b" });
    expect(last().path).toBe("/orders/a%2Fb%3Fc%23d/7.json?raw=a%2Fb%3Fc%23d&q=%C3%A4%26b&fixed=1");
  });

  test("cannot be led to another path", async () => {
    const count = web.requests.length;
    for (const id of ["..", "."]) {
      expect(await use({ url: `${web.url}/orders/{{id}}/x` }, { id })).toEqual({
        content: 'Error: an argument that is a part of a path cannot be "." or ".."',
        is_error: true,
      });
    }
    expect((await use({ url: `${web.url}/a/{{a}}{{b}}?x=1` }, { a: ".", b: "." })).is_error).toBe(true);
    expect(web.requests).toHaveLength(count);
    await use({ url: `${web.url}/orders/{{id}}` }, { id: "../../admin" });
    expect(last().path).toBe("/orders/..%2F..%2Fadmin");
  });

  test("cannot be led to another host", async () => {
    for (const url of ["http://{{host}}/", "http://a.{{host}}/x", "{{host}}/x", "ftp://a/", "{{env.BASE}}{{x}}"]) {
      await expect(use({ url }, { host: "evil.example" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  test("has a body with the arguments' types; those that were not given are left out", async () => {
    const body = {
      id: "{{id}}",
      text: "n: {{n}}",
      list: ["{{n}}", "{{none}}"],
      none: "{{none}}",
      deep: { n: "{{n}}" },
    };
    await use({ method: "post", url: web.url, body }, { id: { a: 1 }, n: 5 });
    expect(JSON.parse(last().body ?? "")).toEqual({ id: { a: 1 }, text: "n: 5", list: [5, null], deep: { n: 5 } });
    expect(headersOf()).toMatchObject({ "content-type": "application/json", "idempotency-key": "exec-1:7" });
  });

  test("has all arguments as its body where it says nothing of one", async () => {
    await use({ method: "PUT", url: web.url }, { a: [1] });
    expect(last().body).toBe('{"a":[1]}');
    await use({ url: web.url }, { a: 1 });
    expect(last().body).toBe("");
  });

  test("has the value of a handle for its hosts, of which the template and the answer know the text only", async () => {
    const handle = { name: "KEY", text: "weft_secret_text", value: "k-12345678", hosts: ["127.0.0.1"] };
    const job = { secrets: { KEY: handle.text }, handles: [handle] };
    const request = { url: `${web.url}/t`, headers: { "x-key": "{{secrets.KEY}}" } };
    answers = [200, "text/plain", "you sent k-12345678"];
    const { content } = await use(request, {}, { job });
    expect(headersOf()).toMatchObject({ "x-key": "k-12345678" });
    expect(content).toBe("HTTP 200\n\nyou sent weft_secret_text");
    const elsewhere = { ...job, handles: [{ ...handle, hosts: ["api.example.com"] }] };
    await expect(use(request, {}, { job: elsewhere })).rejects.toMatchObject({
      code: "CAPABILITY_DENIED",
      message: expect.stringContaining("its hosts are api.example.com"),
    });
  });

  test("has secrets and variables, which no argument can ask for", async () => {
    const job = { secrets: { KEY: "k-12345" } };
    const env = { BASE: web.url, TEAM: "blue" };
    const headers = { "x-key": "{{secrets.KEY}}", "x-team": "{{env.TEAM}}/{{who}}" };
    await use(
      { url: "{{env.BASE}}/t", headers, query: { q: "{{q}}" } },
      { who: "me", q: "{{secrets.KEY}}" },
      { job, env },
    );
    expect(headersOf()).toMatchObject({ "x-key": "k-12345", "x-team": "blue/me" });
    expect(last().path).toBe("/t?q=%7B%7Bsecrets.KEY%7D%7D");
    await expect(use({ url: web.url, headers: { a: "{{env.NONE}}" } })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: `agents: a tool needs the variable "NONE", which the workflow's env does not have`,
    });
  });

  test("has no header that an argument could break", async () => {
    const headers = { "x-who": "{{who}}" };
    for (const who of ["a\r\nx-admin: 1", "ж", "\u0000"]) {
      expect((await use({ url: web.url, headers }, { who })).content).toMatch(
        /^Error: an argument that goes into a header/,
      );
    }
    await expect(use({ url: web.url, headers: { host: "x" } })).rejects.toThrow(
      'agents: the tool find_order: headers: "host" is set by the server',
    );
    await use({ url: web.url, headers }, {});
    expect(headersOf()).not.toHaveProperty("x-who");
  });

  test("is bounded however often an argument is used", async () => {
    const body = Array.from({ length: 200 }, () => "{{text}}");
    await expect(use({ method: "POST", url: web.url, body }, { text: "x".repeat(10_000) })).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      details: { limit: "maxArgBytes" },
    });
  });

  test("needs what its URL is made of: the model hears of it", async () => {
    expect(await use({ url: `${web.url}/{{id}}` })).toMatchObject({ is_error: true });
    expect((await use({ url: `${web.url}/a-{{id}}` })).content).toBe('Error: the argument "id" is needed');
  });
});

describe("the answer", () => {
  test("is text with its status; a failure is marked", async () => {
    expect(await use({ url: web.url })).toEqual({ content: 'HTTP 200\n\n{"ok":true}', is_error: false });
    answers = [404, "text/plain", "no such order"];
    expect(await use({ url: web.url })).toEqual({ content: "HTTP 404\n\nno such order", is_error: true });
    answers = [204, "text/plain", ""];
    expect((await use({ url: web.url })).content).toBe("HTTP 204, no content");
  });

  test("that is no text is described, a long one is cut", async () => {
    answers = [200, "image/png", Buffer.from([137, 80, 255, 0])];
    expect((await use({ url: web.url })).content).toBe("HTTP 200, 4 bytes that are no text (image/png)");
    answers = [200, "text/plain", "x".repeat(100)];
    const limits = { ...DEFAULT_LIMITS, maxToolTextBytes: 20 };
    const { content } = await use({ url: web.url }, {}, { job: { limits } });
    expect(content).toBe(`HTTP 200\n\n${"x".repeat(10)}\n[cut: 110 bytes, of which 20 are shown (maxToolTextBytes)]`);
  });

  test("that is over the limit of all results, or never comes, is an error that names tool and limit", async () => {
    answers = [200, "text/plain", "x".repeat(5_000)];
    const small = { ...DEFAULT_LIMITS, maxResultBytes: 1_000 };
    await expect(use({ url: web.url }, {}, { job: { limits: small } })).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: "agents: the tool find_order: response over 1000 bytes (max_bytes)",
    });
    answers = [0, "", ""];
    const quick = { ...DEFAULT_LIMITS, toolTimeoutMs: 100 };
    await expect(use({ url: `${web.url}/slow` }, {}, { job: { limits: quick } })).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      message: `agents: the tool find_order: GET ${web.url}/slow took longer than 100 ms (toolTimeoutMs)`,
      details: { limit: "toolTimeoutMs", value: 100 },
    });
  });
});

test("private addresses and hosts that the workflow does not allow are refused", async () => {
  await expect(use({ url: "http://10.0.0.1/" })).rejects.toMatchObject({ code: "CAPABILITY_DENIED" });
  await expect(use({ url: web.url }, {}, { job: { httpAllow: ["api.example.com"] } })).rejects.toMatchObject({
    code: "CAPABILITY_DENIED",
  });
});

describe("arguments of the ops", () => {
  const parse = (name: string, args: unknown) =>
    AGENT_TOOL_OPS[name]?.parse(args, testCall({ services: {} as never }).scope);

  test.each<[object, string]>([
    [{ url: "https://a.com", methd: "GET" }, "tool.request.methd is not a known field"],
    [{ url: "https://a.com", method: "TRACE" }, "tool.request.method must be GET, HEAD, POST, PUT, PATCH or DELETE"],
    [{ url: "https://a.com", headers: { a: 1 } }, "tool.request.headers.a must be a string, got 1"],
    [{ url: 7 }, "tool.request.url must be a string, got 7"],
  ])("%j is refused", (request, message) => {
    expect(() => parse("agents.tool", { tool: { type: "http", name: "x", request }, arguments: {} })).toThrow(message);
  });

  test.each<[object, string]>([
    [{ command: "npx", args: ["x"] }, "server.command names a stdio server, which would run a program on this machine"],
    [{ type: "stdio", url: "http://a.com" }, "server.type names a stdio server"],
    [{ url: "file:///etc/passwd" }, "server.url must be the http or https URL of a streamable HTTP server"],
    [
      { url: "https://a.com", headers: { a: "{{x}}" } },
      "server.headers.a may hold {{secrets.NAME}} and {{env.NAME}} only",
    ],
  ])("the server %j is refused", (server, message) => {
    expect(() => parse("agents.tools", { server })).toThrow(message);
  });
});
