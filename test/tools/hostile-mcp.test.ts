import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { AGENT_TOOL_OPS } from "../../runtime/capabilities/agent-tools.ts";
import type { Op } from "../../runtime/capabilities/capability.ts";
import { createEgressClient, type EgressClient } from "../../runtime/egress/client.ts";
import type { ResolvedAddress } from "../../runtime/egress/guard.ts";
import { fail } from "../../runtime/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../../runtime/limits.ts";
import { createModelClient } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { createMcpSessions, type McpSessions } from "../../runtime/tools/mcp/sessions.ts";
import type { ToolCallResult, ToolListResult } from "../../runtime/tools/types.ts";
import { testCall } from "../capabilities/op-call.ts";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly error?: { readonly code: number };
}

type Behaviour = (message: Message, response: ServerResponse, request: IncomingMessage) => void;

const LIMITS: Partial<Limits> = { maxToolAnswerBytes: 64 * 1024, maxToolListBytes: 32 * 1024 };
const QUICK: Partial<Limits> = { toolTimeoutMs: 400 };
const WELCOME = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "evil", version: "1" },
};

let http: Server;
let url = "";
let egress: EgressClient;
let mcp: McpSessions;
/** How the server answers, by method; what is missing here is answered well. */
let behaviours: Record<string, Behaviour> = {};
const received: Message[] = [];

const answer = (response: ServerResponse, body: unknown) =>
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
const result = (response: ServerResponse, id: number | undefined, value: unknown) =>
  answer(response, { jsonrpc: "2.0", id, result: value });
const startSse = (response: ServerResponse) => response.writeHead(200, { "content-type": "text/event-stream" });
const sse = (message: unknown) => `data: ${JSON.stringify({ jsonrpc: "2.0", ...(message as object) })}\n\n`;

const GOOD: Record<string, Behaviour> = {
  initialize: ({ id }, response) => result(response, id, WELCOME),
  "tools/list": ({ id }, response) =>
    result(response, id, { tools: [{ name: "ok", inputSchema: { type: "object" } }] }),
  "tools/call": ({ id }, response) => result(response, id, { content: [{ type: "text", text: "fine" }] }),
};

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
  const message = (body === "" ? {} : JSON.parse(body)) as Message;
  received.push(message);
  const { method = "", id } = message;
  if (id === undefined && behaviours[method] !== undefined) behaviours[method](message, response, request);
  else if (id === undefined || message.method === undefined) response.writeHead(202).end();
  else (behaviours[method] ?? GOOD[method])?.(message, response, request);
}

beforeAll(async () => {
  http = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  egress = createEgressClient({ allowPrivate: ["127.0.0.1/32"] });
  mcp = createMcpSessions({ egress });
});

afterEach(() => {
  behaviours = {};
  received.length = 0;
});

afterAll(async () => {
  await mcp.close();
  await egress.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

interface Asked {
  readonly sessions?: McpSessions;
  readonly limits?: Partial<Limits>;
}

async function ask<T>(name: string, args: unknown, { sessions = mcp, limits = {} }: Asked): Promise<T> {
  const models = createModelClient(parseModels({ file: null, env: {} }));
  const op = AGENT_TOOL_OPS[name] as Op;
  const job = { limits: { ...DEFAULT_LIMITS, ...LIMITS, ...limits } };
  const call = testCall({ services: { egress, models, mcp: sessions }, job });
  return JSON.parse(await op.run(op.parse(args, call.scope), call)) as T;
}

const list = (asked: Asked = {}, more: object = {}) =>
  ask<ToolListResult>("agents.tools", { server: { url }, ...more }, asked);
const use = (asked: Asked = {}, at = url) =>
  ask<ToolCallResult>("agents.tool", { tool: { type: "mcp", server: { url: at }, name: "ok" } }, asked);
const failure = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(`agents: the MCP server ${url}, ${text}`) });

const FINE = { content: "fine", is_error: false };

/** The server misbehaves at `method`; the call fails as it should, and the next one to a good server is well. */
async function expectFailure(
  method: string,
  behaviour: Behaviour,
  [code, text]: readonly [code: string, text: string],
  limits: Partial<Limits> = {},
): Promise<void> {
  behaviours = { [method]: behaviour };
  const failed = method === "tools/list" ? list({ limits }) : use({ limits });
  await expect(failed).rejects.toEqual(failure(code, text));
  behaviours = {};
  expect(await use()).toEqual(FINE);
}

describe("a server that says nothing", () => {
  test.each(["initialize", "tools/list", "tools/call"])("at %s", async (method) => {
    await mcp.close();
    mcp = createMcpSessions({ egress });
    if (method !== "initialize") await use();
    const text = `${method}: no answer within 400 ms (toolTimeoutMs)`;
    await expectFailure(method, () => undefined, ["UPSTREAM_TIMEOUT", text], QUICK);
  });

  test("but keeps its stream alive", async () => {
    const drip: Behaviour = (_message, response) => {
      startSse(response);
      const timer = setInterval(() => response.write(": alive\n\n"), 10);
      response.on("close", () => clearInterval(timer));
    };
    await use();
    const text = "tools/call: no answer within 400 ms (toolTimeoutMs)";
    await expectFailure("tools/call", drip, ["UPSTREAM_TIMEOUT", text], QUICK);
  });

  test("holds up no other call of the same session", async () => {
    expect(await use()).toEqual(FINE);
    let first = true;
    behaviours["tools/call"] = (message, response, request) => {
      if (!first) GOOD["tools/call"]?.(message, response, request);
      first = false;
    };
    const hanging = use({ limits: { toolTimeoutMs: 3_000 } });
    const failed = expect(hanging).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    await expect.poll(() => first, { timeout: 10_000 }).toBe(false);
    expect(await use()).toEqual(FINE);
    await failed;
  });
});

describe("a server that lies", () => {
  test.each<[string, Behaviour, string]>([
    [
      "about its content type",
      (_message, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      "tools/call: Unexpected content type: text/html",
    ],
    [
      "with JSON that is none",
      (_message, response) => response.writeHead(200, { "content-type": "application/json" }).end("<html>"),
      "tools/call: its answer is not valid JSON",
    ],
    [
      "with JSON as an event stream",
      ({ id }, response) => startSse(response).end(JSON.stringify({ jsonrpc: "2.0", id, result: {} })),
      "tools/call: its answer ended without a result",
    ],
    [
      "with events that are no JSON",
      (_message, response) => startSse(response).end("data: {oops\n\n"),
      "tools/call: its answer ended without a result",
    ],
    [
      "about the id",
      (_message, response) => result(response, 4_711, { content: [] }),
      "tools/call: its answer ended without a result",
    ],
    [
      "about the protocol",
      (_message, response) => answer(response, { hello: "there" }),
      "tools/call: its answer is not what MCP asks for",
    ],
    [
      "with the answer to nothing",
      (_message, response) => response.writeHead(202).end(),
      "tools/call: its answer ended without a result",
    ],
    [
      "with a status",
      (_message, response) => response.writeHead(418).end("I am a \u001b[31mteapot"),
      "tools/call: it answered with the status 418: I am a  [31mteapot",
    ],
    [
      "and breaks off",
      (_message, response) => {
        startSse(response).write(sse({ method: "notifications/message", params: { level: "info", data: 1 } }));
        setTimeout(() => response.destroy(), 20);
      },
      "tools/call: its answer broke off",
    ],
  ])("%s", async (_name, behaviour, text) => {
    await expectFailure("tools/call", behaviour, ["UPSTREAM_FAILED", text]);
  });

  test("about the version of the protocol", async () => {
    await mcp.close();
    mcp = createMcpSessions({ egress });
    const welcome: Behaviour = ({ id }, response) =>
      result(response, id, { ...WELCOME, protocolVersion: "1999-01-01" });
    await expectFailure("initialize", welcome, [
      "UPSTREAM_FAILED",
      "initialize: Server's protocol version is not supported",
    ]);
  });

  test("about its tools, which it changes: what an execution was told stays in its journal, a call of a tool that is gone is the model's to hear of", async () => {
    expect((await list()).tools.map(({ tool }) => tool)).toEqual(["ok"]);
    behaviours["tools/list"] = ({ id }, response) =>
      result(response, id, { tools: [{ name: "other", inputSchema: {} }] });
    behaviours["tools/call"] = ({ id }, response) =>
      answer(response, { jsonrpc: "2.0", id, error: { code: -32_602, message: "no such tool" } });
    expect((await list()).tools.map(({ tool }) => tool)).toEqual(["other"]);
    expect(await use()).toEqual({ content: "Error: MCP error -32602: no such tool", is_error: true });
  });
});

describe("a server that sends too much", () => {
  test("in one answer", async () => {
    const flood: Behaviour = (_message, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const piece = "x".repeat(32 * 1024);
      const more = (): void => {
        if (!response.destroyed && response.write(piece)) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    };
    await expectFailure("tools/call", flood, [
      "LIMIT_EXCEEDED",
      "tools/call: its answer is over 65536 bytes (maxToolAnswerBytes)",
    ]);
  });

  test("for what the execution holds already", async () => {
    const op = AGENT_TOOL_OPS["agents.tool"] as Op;
    const models = createModelClient(parseModels({ file: null, env: {} }));
    const call = testCall({ services: { egress, models, mcp } });
    const hold = () => {
      throw fail("LIMIT_EXCEEDED", { message: "ctx calls: results over 1 bytes at once" });
    };
    const args = op.parse({ tool: { type: "mcp", server: { url }, name: "ok" } }, call.scope);
    await expect(op.run(args, { ...call, hold })).rejects.toEqual(
      failure("LIMIT_EXCEEDED", "tools/call: ctx calls: results over 1 bytes at once"),
    );
  });

  test("as events", async () => {
    const flood: Behaviour = (_message, response) => {
      startSse(response);
      for (let n = 0; n < 2_000; n++)
        response.write(sse({ method: "notifications/x", params: { text: "y".repeat(50) } }));
    };
    await expectFailure("tools/call", flood, [
      "LIMIT_EXCEEDED",
      "tools/call: its answer is over 65536 bytes (maxToolAnswerBytes)",
    ]);
  });

  test("as tools, of which allow can choose", async () => {
    const tools = Array.from({ length: 10_000 }, (_, n) => ({ name: `t${n}`, inputSchema: {} }));
    behaviours["tools/list"] = ({ id }, response) => result(response, id, { tools });
    const limits = { maxToolAnswerBytes: 1024 * 1024 };
    await expect(list({ limits })).rejects.toEqual(
      failure("LIMIT_EXCEEDED", "tools/list: it offers over 128 tools (maxTools); choose some with allow"),
    );
    expect((await list({ limits }, { allow: ["t9999"] })).tools.map(({ name }) => name)).toEqual(["t9999"]);
  });

  test("as pages without an end", async () => {
    behaviours["tools/list"] = ({ id }, response) => result(response, id, { tools: [], nextCursor: "again" });
    await expect(list({})).rejects.toEqual(failure("LIMIT_EXCEEDED", "tools/list: over 100 pages (maxPages)"));
  });

  test("as schemas", async () => {
    const properties = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`field${n}`, { type: "string" }]));
    behaviours["tools/list"] = ({ id }, response) =>
      result(response, id, { tools: [{ name: "big", inputSchema: { type: "object", properties } }] });
    await expect(list({ limits: { maxToolAnswerBytes: 1024 * 1024 } })).rejects.toEqual(
      failure(
        "LIMIT_EXCEEDED",
        "tools/list: it offers over 32768 bytes of names, descriptions and schemas (maxToolListBytes)",
      ),
    );
  });

  test("as requests of its own", async () => {
    const flood: Behaviour = (_message, response) => {
      startSse(response);
      for (let n = 0; n < 200; n++) response.write(sse({ id: n, method: "roots/list" }));
    };
    await expectFailure("tools/call", flood, [
      "LIMIT_EXCEEDED",
      "roots/list: it sent over 100 requests of its own (maxServerRequests)",
    ]);
  });
});

test("tools that cannot be offered are left out, and it is said why", async () => {
  const deep = (levels: number): object =>
    levels === 0 ? {} : { type: "object", properties: { a: deep(levels - 1) } };
  const loop = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } };
  const named = (name: unknown, inputSchema: unknown = { type: "object" }) => ({ name, inputSchema });
  behaviours["tools/list"] = ({ id }, response) =>
    result(response, id, {
      tools: [
        named("a b"),
        named("a/b"),
        named("a b"),
        named("bell\u0007"),
        named("hidden\u202e"),
        named("x".repeat(200)),
        named(7),
        named("deep", deep(100)),
        named("list", { type: "array" }),
        named("loop", loop),
        "nothing",
      ],
    });
  const { tools, left_out: leftOut } = await list();
  expect(tools.map(({ name, tool }) => [name, tool])).toEqual([
    ["a_b", "a b"],
    ["a_b_2", "a/b"],
    ["loop", "loop"],
  ]);
  expect(leftOut.map(({ tool, reason }) => `${tool.slice(0, 10)}: ${reason}`)).toEqual([
    "a b: the server names it twice",
    "bell : its name has control characters",
    "hidden : its name has control characters",
    "xxxxxxxxxx: its name has 200 characters, over 128",
    "7: it has no name",
    "deep: its schema is nested over 100 levels deep",
    "list: its schema is not that of an object",
    "undefined: it has no name",
  ]);
});

test("what a server asks of us is refused, and its answer still counts", async () => {
  behaviours["tools/call"] = ({ id }, response) => {
    startSse(response);
    for (const [n, method] of ["sampling/createMessage", "elicitation/create", "roots/list"].entries()) {
      response.write(sse({ id: `s${n}`, method, params: {} }));
    }
    const poll = setInterval(() => {
      if (received.filter(({ error }) => error !== undefined).length < 3) return;
      clearInterval(poll);
      response.end(sse({ id, result: { content: [{ type: "text", text: "fine" }] } }));
    }, 5);
    response.on("close", () => clearInterval(poll));
  };
  expect(await use()).toEqual(FINE);
  expect(received.flatMap(({ error }) => (error === undefined ? [] : [error.code]))).toEqual([
    -32_601, -32_601, -32_601,
  ]);
});

test("a server may take its time for what follows its welcome", async () => {
  await mcp.close();
  mcp = createMcpSessions({ egress });
  behaviours["notifications/initialized"] = (_message, response) => {
    setTimeout(() => response.writeHead(202).end(), 300);
  };
  expect(await use()).toEqual(FINE);
});

test("a stream that stays open after the result holds up nothing", async () => {
  let closed = false;
  behaviours["tools/call"] = ({ id }, response) => {
    startSse(response).write(sse({ id, result: { content: [{ type: "text", text: "fine" }] } }));
    response.on("close", () => {
      closed = true;
    });
  };
  expect(await use()).toEqual(FINE);
  await expect.poll(() => closed, { timeout: 10_000 }).toBe(true);
});

test("structured content that is nested too deeply does not break the worker", async () => {
  behaviours["tools/call"] = ({ id }, response) =>
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(
        `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`,
      );
  const { content } = await use();
  expect(content).toMatch(/^\[/);
});

describe("addresses", () => {
  test("a redirect to another place is not followed", async () => {
    const elsewhere: Behaviour = (_message, response) =>
      response.writeHead(307, { location: "http://169.254.169.254/latest/meta-data" }).end();
    await expectFailure("tools/call", elsewhere, [
      "UPSTREAM_FAILED",
      "tools/call: it answered with the status 307: Redirect to http://169.254.169.254/latest/meta-data not followed",
    ]);
  });

  test("a redirect within the server is followed", async () => {
    let hops = 0;
    behaviours["tools/call"] = (message, response, request) => {
      if (request.url === "/other") GOOD["tools/call"]?.(message, response, request);
      else {
        hops++;
        response.writeHead(307, { location: "/other" }).end();
      }
    };
    expect(await use()).toEqual(FINE);
    expect(hops).toBe(1);
  });

  test("a private address is refused, whatever its name", async () => {
    const strict = createEgressClient({
      allowPrivate: [],
      resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    });
    const sessions = createMcpSessions({ egress: strict });
    const { port } = new URL(url);
    for (const host of ["127.0.0.1", "localhost", "mcp.example.com"]) {
      await expect(use({ sessions }, `http://${host}:${port}/mcp`)).rejects.toMatchObject({
        code: "CAPABILITY_DENIED",
      });
    }
    expect(received).toEqual([]);
    await strict.close();
  });

  test("a name that leads elsewhere the second time is refused then", async () => {
    const addresses: ResolvedAddress[] = [{ address: "127.0.0.1", family: 4 }];
    const rebinding = createEgressClient({
      allowPrivate: ["127.0.0.1/32"],
      resolve: () => Promise.resolve([addresses.shift() ?? { address: "127.0.0.2", family: 4 }]),
    });
    const sessions = createMcpSessions({ egress: rebinding });
    behaviours["initialize"] = ({ id }, response) => {
      response.shouldKeepAlive = false;
      result(response, id, WELCOME);
    };
    const { port } = new URL(url);
    await expect(use({ sessions }, `http://mcp.example.com:${port}/mcp`)).rejects.toMatchObject({
      code: "CAPABILITY_DENIED",
      message: expect.stringContaining('the host "mcp.example.com" leads to an address that must not be reached'),
    });
    expect(received.map(({ method }) => method)).not.toContain("tools/call");
    await sessions.close();
    await rebinding.close();
  });
});
