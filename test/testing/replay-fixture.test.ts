import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openReplayer, type Replayer, ReplayMismatch } from "../../src/testing/replay-fixture.ts";
import { weft } from "../cli/capture.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let stub: ModelStub;
let server: TestServer;
let replayer: Replayer;
let cwd = "";
let fixture = "";
const fakes: Server[] = [];

const KEY = "sk-abcdefghijklmnopqrstuvwx";
const scriptOf = (question: string) => `export async function execute(ctx) {
  const ask = (content) => ctx.chat.completions.create({ messages: [{ role: "user", content }] });
  await ask("first question about " + ctx.input.topic + " with ${KEY} for Mrs Miller");
  const reply = await ask(${question});
  return { answer: reply.choices[0].message.content };
}`;

beforeAll(async () => {
  stub = await startModelStub();
  server = await startTestServer({ OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk-stub" });
  replayer = await openReplayer();
  cwd = mkdtempSync(join(tmpdir(), "weft-fixtures-"));
  writeFileSync(join(cwd, "asks.ts"), scriptOf('"second question"'));
  const cli = (args: readonly string[]) =>
    weft(args, { cwd, env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });
  await cli(["deploy", "asks.ts"]);
  const { out } = await cli(["run", "asks", "--input", '{"topic":"bees"}', "--background", "--json"]);
  const { id } = JSON.parse(out) as { id: string };
  await cli(["logs", id, "--follow"]);
  const { out: written } = await cli(["test", "--from", id, "--redact", "Mrs Miller", "--json"]);
  fixture = join(cwd, (JSON.parse(written) as { written: string[] }).written[0] ?? "");
});
afterAll(async () => {
  for (const fake of fakes) fake.close();
  await replayer.close();
  await server.close();
  await stub.close();
  rmSync(cwd, { recursive: true, force: true });
});

async function missOf(script: string): Promise<ReplayMismatch> {
  const thrown = await replayer.replay(fixture, { script }).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ReplayMismatch);
  return thrown as ReplayMismatch;
}

/** Where a server answers with the fixture as a recording of a workflow called `ref`. */
async function servedRecording(ref: string): Promise<{ cwd: string; env: Record<string, string> }> {
  const text = readFileSync(fixture, "utf8").replace('"ref":"asks"', `"ref":${JSON.stringify(ref)}`);
  const fake = createServer((_request, response) => response.end(text)).listen(0, "127.0.0.1");
  await once(fake, "listening");
  fakes.push(fake);
  const { port } = fake.address() as AddressInfo;
  return { cwd, env: { WEFT_URL: `http://127.0.0.1:${port}`, WEFT_API_KEY: "none" } };
}

const offline = (args: readonly string[]) => weft(args, { cwd });

describe("a fixture", () => {
  test("is without credentials and the given texts", () => {
    const text = readFileSync(fixture, "utf8");
    expect(text).toContain("first question about bees");
    expect(text).not.toContain(KEY);
    expect(text).not.toContain("Miller");
  });

  test("replays free, with its own code and with the same code from disk", async () => {
    const calls = stub.calls.length;
    const { outcome } = await replayer.replay(fixture);
    expect(outcome.status).toBe("completed");
    expect(stub.calls.length).toBe(calls);
    expect(await offline(["test"])).toMatchObject({ code: 0, out: expect.stringContaining("✓ fixtures/asks-") });
  });

  test("misses loudly when a call changes, showing the recorded one", async () => {
    const script = join(cwd, "changed.ts");
    writeFileSync(script, readFileSync(join(cwd, "asks.ts"), "utf8").replace('"second question"', '"other question"'));
    const missed = await missOf(script);
    // The recorded first call has no credential in it: the script on disk still has, so that one misses already.
    expect(missed).toMatchObject({
      verdict: { verdict: "diverges", position: 0 },
      expected: { op: "chat.completions.create", args: { messages: [{ role: "user" }] } },
      showDiff: true,
    });
  });

  test("a call that is not recorded is compared with the nearest one", async () => {
    const recorded = JSON.parse(readFileSync(fixture, "utf8").split("\n")[1] ?? "") as { sources: { text: string }[] };
    const script = join(cwd, "longer.ts");
    const text = recorded.sources[0]?.text ?? "";
    writeFileSync(script, text.replace("return {", 'await ask("third question"); return {'));
    const missed = await missOf(script);
    expect(missed.message).toContain("Compared with the nearest recorded call");
    expect(missed).toMatchObject({
      verdict: { verdict: "diverges", position: 2, recorded: null },
      expected: { args: { messages: [{ content: "second question" }] } },
      actual: { args: { messages: [{ content: "third question" }] } },
    });
  });
});

describe("weft test", () => {
  test("takes a text out only where it is long enough to be found, and says so", async () => {
    const { code, err } = await weft(["test", "--from", "exec_x", "--redact", "Bob"], await servedRecording("asks"));
    expect(code).toBe(2);
    expect(err).toContain('redact: "Bob" has 3 characters');
  });

  test("records all executions that it is given", async () => {
    const { out } = await weft(["test", "--from", "exec_x", "exec_y", "--json"], await servedRecording("several"));
    const { written } = JSON.parse(out) as { written: string[] };
    expect(written).toHaveLength(2);
    for (const path of new Set(written)) rmSync(join(cwd, path));
  });

  test("writes into its directory, whatever name the server sends", async () => {
    const { out } = await weft(["test", "--from", "exec_x", "--json"], await servedRecording("../../evil"));
    const { written } = JSON.parse(out) as { written: string[] };
    expect(written).toEqual([expect.stringMatching(/^fixtures\/\.\._\.\._evil-\w+\.weft\.jsonl$/)]);
    rmSync(join(cwd, written[0] ?? ""));
  });

  test("names what is not the same and fails", async () => {
    writeFileSync(join(cwd, "wrong.ts"), `export const execute = () => "nothing";`);
    const { code, out, err } = await offline(["test", "fixtures", "--code", "wrong.ts"]);
    expect(code).toBe(1);
    expect(out).toMatch(/✗ asks-\w+\.weft\.jsonl: the output differs/);
    expect(err).toContain("1 of 1 recorded runs are not the same");
    const json = await offline(["test", fixture, "--code", "wrong.ts", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject([{ verdict: "differs", part: "output" }]);
  });

  test("without fixtures says where it looked", async () => {
    expect(await offline(["test", "nowhere"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("nowhere: there is no such file or directory"),
    });
  });
});

test("the helper is reached as weft/testing", async () => {
  const { openReplayer: reached } = (await import("weft/testing" as string)) as { openReplayer: unknown };
  expect(reached).toBe(openReplayer);
});
