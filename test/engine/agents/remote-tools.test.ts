import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startWebStub, type WebStub } from "../../egress/upstream.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { startMcpServer, type TestMcpServer } from "../../support/mcp-server.ts";
import { type ModelStub, type StubAnswer, startModelStub } from "../../support/model-stub.ts";

type Json = Readonly<Record<string, unknown>>;

const SECRET = "s3cr3t-of-the-call";
let core: TestCore;
let stub: ModelStub;
let first: TestMcpServer;
let second: TestMcpServer;
let web: WebStub;

const weather = (text: string) =>
  startMcpServer({
    tools: (mcp) =>
      mcp.registerTool("weather", { description: text, inputSchema: { city: z.string() } }, ({ city }) => ({
        content: [{ type: "text", text: `${text} in ${city}` }],
      })),
  });

beforeAll(async () => {
  [stub, first, second, web] = await Promise.all([
    startModelStub(),
    weather("sun"),
    weather("rain"),
    startWebStub((request, response) => {
      if (request.url === "/hang") return;
      response.writeHead(200, { "content-type": "text/plain" }).end(`you sent ${request.headers.authorization}`);
    }),
  ]);
  core = await startTestCore({
    OPENAI_API_KEY: "sk-test-key-of-agents",
    OPENAI_BASE_URL: stub.url,
    WEFT_HTTP_ALLOW_PRIVATE: "127.0.0.0/8",
    WEFT_LIMIT_TOOL_TIMEOUT_MS: "5000",
  });
});
beforeEach(() => stub.always({ content: "done" }));
afterAll(async () => {
  await core.close();
  await Promise.all([stub.close(), first.close(), second.close(), web.close()]);
  expect(core.reported).toEqual([]);
});

const calls = (...names: readonly string[]): StubAnswer => ({
  toolCalls: names.map((name) => ({ name, arguments: '{"city":"Oslo"}' })),
});
const mcp = ({ url }: TestMcpServer, more: Json = {}) => ({ type: "mcp", server: { url }, ...more });

let deployed = 0;

async function run(tools: readonly Json[], more: Json = {}) {
  const ref = `remote-${deployed++}`;
  const script = `export async function execute(ctx) {
    const { choices, messages } = await ctx.chat.completions.runTools({ tools: ${JSON.stringify(tools)} });
    return { answer: choices[0].message.content, messages };
  }`;
  await core.deploy(ref, script);
  const invocation = await core.invoke(ref, { messages: [{ role: "user", content: "hi" }], ...more });
  const result = await invocation.result;
  return {
    id: invocation.executionId,
    output: result.status === "completed" ? JSON.parse(result.output) : result.error,
  };
}

const offered = () => (stub.calls.at(-1)?.body["tools"] ?? []) as readonly { readonly function: Json }[];
const told = () => (stub.calls.at(-1)?.body["messages"] ?? []) as readonly Json[];

test("servers that name a tool alike are told apart, and each gets its call", async () => {
  stub.script(calls("weather", "127_0_0_1_weather"));
  const { output } = await run([mcp(first), mcp(second)]);
  expect(output.answer).toBe("done");
  expect(offered().map((tool) => [tool.function["name"], tool.function["description"]])).toEqual([
    ["weather", "sun"],
    ["127_0_0_1_weather", "rain"],
  ]);
  expect(told().slice(-2)).toMatchObject([{ content: "sun in Oslo" }, { content: "rain in Oslo" }]);
});

test("a secret in a header reaches the server and nothing that is kept", async () => {
  const headers = { authorization: "Bearer {{secrets.TOKEN}}" };
  const tools = [
    { type: "mcp", server: { url: first.url, headers } },
    { type: "http", name: "page", parameters: { type: "object" }, request: { url: `${web.url}/p`, headers } },
  ];
  stub.script(calls("weather", "page"));
  const { id, output } = await run(tools, { secrets: { TOKEN: SECRET } });
  expect(output.answer).toBe("done");
  expect(first.requests.at(-1)?.headers.authorization).toBe(`Bearer ${SECRET}`);
  // What the service echoes is the model's to see; the journal has a placeholder.
  expect(told().at(-1)?.["content"]).toBe(`HTTP 200\n\nyou sent Bearer ${SECRET}`);
  const entries = await core.store.readJournal({ executionId: id });
  expect(entries.map(({ op }) => op)).toContain("agents.tools");
  expect(JSON.stringify(entries)).not.toContain(SECRET);
});

test("a tool that hangs is an error for the model, and other executions go on", async () => {
  stub.script(calls("slow"));
  const slow = { type: "http", name: "slow", request: { url: `${web.url}/hang` } };
  const hanging = run([slow]);
  await core.deploy("quick", "export const execute = () => 1");
  expect(await core.run("quick")).toMatchObject({ status: "completed", output: "1" });
  expect((await hanging).output.answer).toBe("done");
  expect(told().at(-1)?.["content"]).toContain("took longer than 5000 ms (toolTimeoutMs)");
});

test("a server that cannot be listed ends the call with an error that names it", async () => {
  const { output } = await run([{ type: "mcp", server: { url: `${web.url}/hang` } }]);
  expect(output).toMatchObject({
    code: "UPSTREAM_TIMEOUT",
    message: `agents: the MCP server ${web.url}/hang, initialize: no answer within 5000 ms (toolTimeoutMs)`,
  });
  expect((await run([{ type: "mcp", server: { command: "npx" } }])).output).toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining("server.command names a stdio server"),
  });
});
