import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setImmediate as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InvokeRequest } from "../../src/engine/engine.ts";
import { fillDatastores, loadExamples } from "../../src/examples/load-examples.ts";
import { type Captured, weft } from "../cli/capture.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { makeDataDir } from "../support/data-dir.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { spawnTestServer, startTestServer, type TestServer } from "../support/server.ts";

const cwd = join(import.meta.dirname, "../..");
let server: TestServer;
const pages = createServer((request, response) => {
  response.writeHead(request.url === "/gone" ? 404 : 200, { "content-type": "text/plain" }).end(`page ${request.url}`);
});
let pagesUrl = "";
/** What had happened first when the server was ready. */
let first = "";

beforeAll(async () => {
  server = await startTestServer({ WEFT_EXAMPLES: "on" });
  first = await Promise.race([server.filling.done.then(() => "filled"), pause().then(() => "ready")]);
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  pagesUrl = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await server.close();
  pages.closeAllConnections();
  await new Promise((resolve) => pages.close(resolve));
});

const cli = (args: readonly string[]): Promise<Captured> =>
  weft(args, { cwd, env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });

async function output(ref: string, input?: unknown) {
  const { code, out, err } = await cli([
    "run",
    ref,
    "--json",
    ...(input === undefined ? [] : ["--input", JSON.stringify(input)]),
  ]);
  expect(err).toBe("");
  expect(code).toBe(0);
  return JSON.parse(out).output;
}

test("the server is ready before the datastores of examples are filled", () => {
  expect(server.filling.datastores).toEqual(["handbook", "products"]);
  expect(first).toBe("ready");
});

test("all are loaded on the first start", () => {
  expect(server.examples).toEqual([
    "approval",
    "etl",
    "fan-out",
    "glossary",
    "handbook",
    "hello",
    "long-sleep",
    "nested",
    "product-search",
    "summarize",
    "support",
    "tools",
  ]);
});

test("hello greets", async () => {
  expect(await output("hello", { name: "Ada" })).toEqual({ greeting: "Hello, Ada!" });
  expect(await output("hello")).toEqual({ greeting: "Hello, world!" });
});

describe("summarize", () => {
  test("streams the model's answer between progress chunks", async () => {
    const { code, out } = await cli(["run", "summarize", "--stream", "--input", `{"text":"Weft runs scripts."}`]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^\[progress\] \{"step":"summarizing","characters":18\}\n.*Weft runs scripts\.\n\[progress\] .*"done"/s,
    );
  });

  test("says what is missing with status 400", async () => {
    const { code, err } = await cli(["run", "summarize", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(err).error).toMatchObject({ message: "text is required", status: 400 });
  });
});

test("fan-out fetches all addresses, one that fails does not fail the others", async () => {
  const urls = [`${pagesUrl}/a`, `${pagesUrl}/gone`, "http://127.0.0.1:1/"];
  const result = await output("fan-out", { urls });
  expect(result.pages[0]).toEqual({ url: urls[0], status: 200, type: "text/plain", characters: 7 });
  expect(result.pages[1]).toMatchObject({ url: urls[1], status: 404 });
  expect(result.pages[2]).toMatchObject({ url: urls[2], error: expect.any(String) });
  expect(result.failed).toBe(1);
});

test("tools runs the tool that the model asks for and ends when it answers in words", async () => {
  expect(await output("tools")).toEqual({ answer: 'echo: {"status":"in transit","eur":35}', rounds: 2 });
});

test("nested calls the other examples", async () => {
  const result = await output("nested", { names: ["Ada", "Grace"] });
  expect(result.greetings).toEqual(["Hello, Ada!", "Hello, Grace!"]);
  expect(result.summary).toContain("Hello, Ada! Hello, Grace!");
});

test("glossary reads its accessory", async () => {
  const result = await output("glossary", { text: "A bundle in an isolate." });
  expect(Object.keys(result.explained)).toEqual(["bundle", "isolate"]);
});

describe("those with datastores, which are filled while the server answers", () => {
  beforeAll(() => server.filling.done, 120_000);

  test("product-search finds products among 100,000 by words and filters", async () => {
    const { products, categories } = await output("product-search", {
      query: "waterproof hiking boots",
      max_price: 60,
    });
    expect(products).toHaveLength(5);
    for (const { name, price } of products) {
      expect(name).toMatch(/waterproof.*hiking boots/);
      expect(price).toBeLessThanOrEqual(60);
    }
    const counts = categories.map(({ products: count }: { products: number }) => count);
    expect(counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(100_000);
  });

  test("handbook answers with the passages that the answer rests on", async () => {
    const { answer, citations } = await output("handbook", { question: "How long may club members return goods?" });
    expect(answer).toBe("echo: How long may club members return goods?");
    expect(citations.map(({ text }: { text: string }) => text).join()).toContain("within 60 days instead of 30");
  });

  test("support is an agent that asks the handbook", async () => {
    expect(await output("support")).toEqual({ answer: expect.stringContaining("Shoes may be tried on"), refunds: [] });
  });
});

describe("with a model", () => {
  let stub: ModelStub;
  let core: TestCore;

  beforeAll(async () => {
    stub = await startModelStub();
    core = await startTestCore({ OPENAI_API_KEY: "sk-test-key-of-examples", OPENAI_BASE_URL: stub.url });
    const { datastores } = await loadExamples(core);
    const handbook = datastores.filter(({ name }) => name === "handbook");
    await fillDatastores(handbook, core, new AbortController().signal);
  }, 120_000);
  afterAll(async () => {
    await core.close();
    await stub.close();
  });

  const run = async (ref: string, more: Partial<InvokeRequest>) => {
    const result = await core.run(ref, more);
    return result.status === "completed" ? JSON.parse(result.output) : result.error;
  };

  test("support uses its three tools, and gives no more than the handbook allows", async () => {
    const call = (name: string, args: object) => ({ name, arguments: JSON.stringify(args) });
    stub.script(
      { toolCalls: [call("find_order", { id: "1003" }), call("search_handbook", { query: "refund approval" })] },
      { toolCalls: [call("start_refund", { id: "1003" }), call("start_refund", { id: "9999" })] },
      { content: "Your refund waits for a team lead." },
    );
    expect(await run("support", { messages: [{ role: "user", content: "Please refund order 1003." }] })).toEqual({
      answer: "Your refund waits for a team lead.",
      refunds: [{ id: "1003", eur: 640, status: "waits for a team lead" }],
    });
    const told = (stub.calls.at(-1)?.body["messages"] ?? []) as { readonly role: string; readonly content: string }[];
    const answers = told.filter(({ role }) => role === "tool").map(({ content }) => content);
    expect(answers[0]).toContain('"eur":640');
    expect(answers[1]).toContain("Refunds of more than 500 euros need the approval of a team lead");
    expect(answers[3]).toContain("there is no order 9999");
  });

  test("handbook shows the passages that the model named", async () => {
    stub.script({ content: "Members have 60 days [1]." });
    const { answer, citations } = await run("handbook", {
      input: { question: "How long may club members return goods?" },
    });
    expect(answer).toBe("Members have 60 days [1].");
    expect(citations.map(({ source }: { source: number }) => source)).toEqual([1]);
    expect(JSON.stringify(stub.calls.at(-1)?.body["messages"])).toContain("within 60 days instead of 30");
  });
});

describe("etl", () => {
  const totals = { DE: { orders: 2, eur: 769.9 }, AT: { orders: 2, eur: 107.25 } };

  test("takes the file that came with it", async () => {
    const { rows, rejected, countries } = await output("etl");
    expect(rows).toBe(6);
    expect(rejected).toEqual([
      { line: 6, reason: '"abc" is not an amount' },
      { line: 9, reason: "order 1007 is there already" },
    ]);
    expect(countries).toMatchObject(totals);
  });

  test("reads a file that was uploaded and writes files that can be fetched", async () => {
    const put = await cli(["files", "put", "examples/etl/orders.csv", "--json"]);
    expect(put.code).toBe(0);
    const { files } = await output("etl", { file: JSON.parse(put.out).id });
    const headers = { authorization: `Bearer ${server.apiKey}` };
    const written = await fetch(`${server.url}/api/v1/files/${files.clean}/content`, { headers });
    expect(await written.text()).toMatch(/^order,day,country,eur\n1001,2026-11-02,DE,129.90\n/);
  });
});

test("approval waits for a person and goes on with what they decided", async () => {
  const id = (await cli(["run", "approval", "--background", "--input", `{"amount":120}`])).out.trim();
  const decided = () => cli(["approve", id, "--data", `{"amount":100}`]);
  for (let code = 1; code !== 0; ) code = (await decided()).code;
  const followed = await cli(["logs", id, "--follow"]);
  expect(followed.err).toContain("completed");
  const run = await fetch(`${server.url}/api/v1/runs/${id}`, { headers: { authorization: `Bearer ${server.apiKey}` } });
  expect(await run.json()).toMatchObject({ data: { output: { refunded: 100, by: expect.stringContaining("owner") } } });
});

test("long-sleep ends on time although the server was killed while it slept", async () => {
  const dataDir = await makeDataDir();
  const settings = { WEFT_EXAMPLES: "on" };
  const first = await spawnTestServer(dataDir.path, settings);
  const at = (url: string) => ({ env: { WEFT_URL: url, WEFT_API_KEY: server.apiKey } });
  const args = ["run", "long-sleep", "--background", "--input", `{"wait":"2s"}`];
  const started = await weft(args, at(first.url));
  const id = started.out.trim();
  for (let lines = ""; !lines.includes("asleep"); ) lines = (await weft(["logs", id], at(first.url))).out;
  await first.kill();

  const second = await spawnTestServer(dataDir.path, settings);
  try {
    const followed = await weft(["logs", id, "--follow"], at(second.url));
    expect(followed.err).toContain("completed");
    const lines = followed.out.trimEnd().split("\n");
    expect(lines.map((line) => /asleep|awake/.exec(line)?.[0])).toEqual(["asleep", "awake"]);
  } finally {
    await second.kill();
    await dataDir.remove();
  }
});
