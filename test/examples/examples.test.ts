import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Captured, weft } from "../cli/capture.ts";
import { makeDataDir } from "../support/data-dir.ts";
import { spawnTestServer, startTestServer, type TestServer } from "../support/server.ts";

const cwd = join(import.meta.dirname, "../..");
let server: TestServer;
const pages = createServer((request, response) => {
  response.writeHead(request.url === "/gone" ? 404 : 200, { "content-type": "text/plain" }).end(`page ${request.url}`);
});
let pagesUrl = "";

beforeAll(async () => {
  server = await startTestServer({ WEFT_EXAMPLES: "on" });
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

test("all are loaded on the first start", () => {
  expect(server.examples).toEqual([
    "approval",
    "fan-out",
    "glossary",
    "hello",
    "long-sleep",
    "nested",
    "summarize",
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
