import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const run = promisify(execFile);
let server: TestServer;
let cwd = "";

beforeAll(async () => {
  server = await startTestServer();
  cwd = mkdtempSync(join(tmpdir(), "weft-readme-"));
  writeFileSync(join(cwd, "summarize.ts"), /```ts\n(\/\/ summarize\.ts[\s\S]*?)```/.exec(readme)?.[1] ?? "");
});
afterAll(async () => {
  await server.close();
  rmSync(cwd, { recursive: true, force: true });
});

test("the commands of the README upload, call and stream its script", async () => {
  const block = /```sh\n(URL=[\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const commands = block.replace("http://127.0.0.1:8787", server.url).replaceAll("curl ", "echo; curl -sS ");
  const env = { PATH: process.env["PATH"] ?? "", WEFT_API_KEY: server.apiKey };
  const { stdout } = await run("sh", ["-ec", commands], { cwd, env });
  const [uploaded = "", called = "", ...streamed] = stdout.trim().split("\n");
  expect(JSON.parse(uploaded).data.published_version.version_number).toBe("1.0.0");
  expect(JSON.parse(called).output).toBe("echo: Summarize in two sentences: …");
  expect(streamed.join("\n")).toContain('"type":"progress"');
  expect(streamed.at(-1)).toBe("data: [DONE]");
});

test.each(["/workflow", "/v1"])("the openai client of the README works with %s", async (path) => {
  const client = new OpenAI({ baseURL: `${server.url}${path}`, apiKey: server.apiKey });
  // @ts-expect-error input is Weft's own field; messages work too
  const answer = await client.chat.completions.create({ model: "workflow:summarize", input: { text: "…" } });
  expect(answer.choices[0]?.message.content).toBe("echo: Summarize in two sentences: …");
});
