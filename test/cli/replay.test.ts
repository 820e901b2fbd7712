import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { weft } from "./capture.ts";

let stub: ModelStub;
let server: TestServer;
let cwd = "";

beforeAll(async () => {
  stub = await startModelStub();
  server = await startTestServer({ OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk-stub" });
  cwd = mkdtempSync(join(tmpdir(), "weft-replay-"));
});
afterAll(async () => {
  await server.close();
  await stub.close();
  rmSync(cwd, { recursive: true, force: true });
});

const cli = (args: readonly string[]) =>
  weft(args, { cwd, env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });

const scriptOf = (question: string, result = "reply.choices[0].message.content.length > 0") =>
  `export async function execute(ctx) {
  const reply = await ctx.chat.completions.create({ messages: [{ role: "user", content: ${question} }] });
  ctx.log("asked", { id: Math.random() > 2 });
  return { ok: ${result}, at: Date.now() };
}`;

async function runOnce(ref: string, script: string): Promise<string> {
  writeFileSync(join(cwd, `${ref}.ts`), script);
  await cli(["deploy", `${ref}.ts`]);
  const { out } = await cli(["run", ref, "--input", "1", "--background", "--json"]);
  const { id } = JSON.parse(out) as { id: string };
  await cli(["logs", id, "--follow"]);
  return id;
}

describe("pull and replay", () => {
  test("a pulled execution gives the same result without a call", async () => {
    const id = await runOnce("same", scriptOf('"hello"'));
    expect(await cli(["pull", id])).toMatchObject({ code: 0, out: expect.stringContaining(`${id}.weft.jsonl`) });
    const calls = stub.calls.length;
    const { code, out, err } = await cli(["replay", `${id}.weft.jsonl`]);
    expect(err).toContain("asked");
    expect(err).toContain("identical");
    expect(JSON.parse(out)).toMatchObject({ ok: true, at: expect.any(Number) });
    expect(code).toBe(0);
    expect(stub.calls.length).toBe(calls);
  });

  test("with other code it shows the call that differs, and fails", async () => {
    const id = await runOnce("other", scriptOf('"hello"'));
    await cli(["pull", id, "--output", "other.jsonl"]);
    writeFileSync(join(cwd, "changed.ts"), scriptOf('"good evening"'));
    const { code, err } = await cli(["replay", "other.jsonl", "--code", "changed.ts"]);
    expect(code).toBe(1);
    expect(err).toContain("diverges at ctx call 0");
    expect(err).toMatch(/- recorded: .*hello/);
    expect(err).toMatch(/\+ now: .*good evening/);
  });

  test("a secret that the script encodes is asked for", async () => {
    const question = '"key " + encodeURIComponent(ctx.secrets.TOKEN)';
    writeFileSync(join(cwd, "encodes.ts"), scriptOf(question));
    await cli(["deploy", "encodes.ts"]);
    const secret = ["--secret", "TOKEN=a value/of its own"];
    const { out } = await cli(["run", "encodes", "--input", "1", "--background", "--json", ...secret]);
    const { id } = JSON.parse(out) as { id: string };
    await cli(["logs", id, "--follow"]);
    await cli(["pull", id, "--output", "encodes.jsonl"]);
    expect(readFileSync(join(cwd, "encodes.jsonl"), "utf8")).not.toContain("of%20its");
    const missed = await cli(["replay", "encodes.jsonl"]);
    expect(missed).toMatchObject({
      code: 1,
      err: expect.stringContaining("place of TOKEN: give the values with --secret"),
    });
    expect(await cli(["replay", "encodes.jsonl", ...secret])).toMatchObject({ code: 0 });
  });

  test("an unknown execution leaves no file; a file that is cut off is named", async () => {
    const unknown = `exec_${"0".repeat(32)}`;
    expect(await cli(["pull", unknown])).toMatchObject({ code: 4 });
    expect(readdirSync(cwd).filter((name) => name.startsWith(unknown))).toEqual([]);
    const id = await runOnce("cut", scriptOf('"cut"'));
    await cli(["pull", id, "--output", "whole.jsonl"]);
    const lines = readFileSync(join(cwd, "whole.jsonl"), "utf8").trimEnd().split("\n");
    writeFileSync(join(cwd, "cut.jsonl"), lines.slice(0, -1).join("\n"));
    const { code, err } = await cli(["replay", "cut.jsonl"]);
    expect(code).toBe(2);
    expect(err).toContain("is not whole");
    expect(existsSync(join(cwd, "whole.jsonl.part"))).toBe(false);
    expect(await cli(["replay", "nowhere.jsonl"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("nowhere.jsonl: cannot be read"),
    });
  });
});

describe("deploy --check", () => {
  test("deploys what leaves recorded runs as they were, and nothing else", async () => {
    await runOnce("gated", scriptOf('"hello"'));
    writeFileSync(join(cwd, "gated.ts"), scriptOf('"hello"', "reply.choices.length === 1"));
    const good = await cli(["deploy", "gated.ts", "--check", "5"]);
    expect(good.err).toContain("1 of 1 recorded runs are identical");
    expect(good.code).toBe(0);
    writeFileSync(join(cwd, "gated.ts"), scriptOf('"hello again"'));
    const bad = await cli(["deploy", "gated.ts", "--check", "5"]);
    expect(bad.code).toBe(1);
    expect(bad.err).toContain("diverges at call 0");
    expect(bad.err).toContain("Not deployed");
    const { out } = await cli(["versions", "gated", "--json"]);
    expect(JSON.parse(out)).toHaveLength(2);
    expect(await cli(["deploy", "gated.ts", "--check", "5", "--force"])).toMatchObject({ code: 0 });
  });

  test("a first deployment has nothing to check; a wrong number is refused", async () => {
    writeFileSync(join(cwd, "brand-new.ts"), "export const execute = () => 1;");
    expect(await cli(["deploy", "brand-new.ts", "--check", "5"])).toMatchObject({ code: 0 });
    expect(await cli(["deploy", "brand-new.ts", "--check", "many"])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--check: must be a whole number from 1 to 1000, got "many"'),
    });
  });
});
