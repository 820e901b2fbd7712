import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type CaptureOptions, weft } from "./capture.ts";

let server: TestServer;
let cwd = "";

beforeAll(async () => {
  server = await startTestServer();
  cwd = mkdtempSync(join(tmpdir(), "weft-cli-"));
});
afterAll(async () => {
  await server.close();
  rmSync(cwd, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(cwd, path)), { recursive: true });
  writeFileSync(join(cwd, path), text);
}

const cli = (args: readonly string[], options: CaptureOptions = {}) =>
  weft(args, { cwd, ...options, env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey, ...options.env } });

const ECHO = `export function execute(ctx) {
  return { input: ctx.input, messages: ctx.messages, env: ctx.env, secret: ctx.secrets.TOKEN?.length ?? 0 };
}`;

describe("deploy", () => {
  test("uploads a script under its file name, then says when nothing changed", async () => {
    write("first.ts", ECHO);
    const first = await cli(["deploy", "first.ts"]);
    expect(first).toMatchObject({ code: 0, out: "✓ first is now 1.0.0\n" });
    expect(await cli(["deploy", "first.ts"])).toMatchObject({ code: 0, out: "✓ first unchanged, still 1.0.0\n" });
  });

  test("takes imported files, env, accessories and a ref along", async () => {
    write(
      "flows/main.ts",
      `import { twice } from "../lib/twice.ts";
      export async function execute(ctx) {
        return { n: twice(ctx.input.n), region: ctx.env.REGION, terms: await ctx.load_accessory("terms") };
      }`,
    );
    write("lib/twice.ts", "export const twice = (n: number): number => 2 * n;");
    write("terms.json", `{"a":1}`);
    const args = ["deploy", "flows/main.ts", "--ref", "multi", "--env", "REGION=eu", "--accessory", "terms=terms.json"];
    const { code, out, err } = await cli([...args, "--json"]);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ workflow_ref_name: "multi", version_created: true });
    const answer = await cli(["run", "multi", "--input", `{"n":21}`, "--json"]);
    expect(JSON.parse(answer.out).output).toEqual({ n: 42, region: "eu", terms: { a: 1 } });
  });

  test("accessories stay until they are taken away, and a key that is none is refused", async () => {
    write("keys.ts", "export const execute = (ctx) => ctx.accessories.keys();");
    write("a.json", "1");
    await cli(["deploy", "keys.ts", "--accessory", "a=a.json", "--accessory", "b=a.json"]);
    await cli(["deploy", "keys.ts", "--remove-accessory", "a"]);
    expect(JSON.parse((await cli(["run", "keys"])).out)).toEqual(["b"]);
    const refused = await cli(["deploy", "keys.ts", "--accessory", "__proto__=a.json"]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("accessory key: must be")]);
    expect((await cli(["deploy", "keys.ts", "--accessory", "a=nowhere.json"])).code).toBe(2);
  });

  test("an error of the script is shown with its place and source line", async () => {
    write("broken.ts", `export function execute() {\n  return 1 +;\n}\n`);
    const { code, err } = await cli(["deploy", "broken.ts"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^✗ broken\.ts:2:\d+: /);
    expect(err).toContain("\n 2 |   return 1 +;\n");
    expect(err).toMatch(/\n {3}\| +\^\n/);
  });

  test("--no-activate stores a version without making it the active one", async () => {
    write("staged.ts", "export const execute = () => 1;");
    await cli(["deploy", "staged.ts"]);
    write("staged.ts", "export const execute = () => 2;");
    expect((await cli(["deploy", "staged.ts", "--no-activate", "--bump", "major", "--notes", "two"])).code).toBe(0);
    expect((await cli(["run", "staged"])).out).toBe("1\n");
    expect((await cli(["run", "staged@2.0.0"])).out).toBe("2\n");
  });
});

describe("validate", () => {
  test("a script without errors exits with 0", async () => {
    write("good.ts", ECHO);
    expect(await cli(["validate", "good.ts"])).toMatchObject({ code: 0, out: "✓ good.ts is valid\n" });
  });

  test("errors are printed with their place and exit with 1", async () => {
    write("bad.ts", `import fs from "node:fs";\nexport const execute = () => fs;\n`);
    const { code, out, err } = await cli(["validate", "bad.ts"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^bad\.ts:1:\d+: .*node:fs/);
    expect(err).toMatch(/1 error: bad\.ts:1:\d+/);
    const json = await cli(["validate", "bad.ts", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false });
  });

  test("nothing is stored", async () => {
    expect((await cli(["run", "good"])).code).toBe(4);
  });
});

describe("run", () => {
  beforeAll(async () => {
    write("echo.ts", ECHO);
    await cli(["deploy", "echo.ts"]);
    write(
      "talk.ts",
      `export async function execute(ctx) {
      ctx.emit("progress", { pct: 50 });
      ctx.write("Hello, ");
      ctx.write("you");
      ctx.log("half way", { pct: 50 });
      return "Hello, you";
    }`,
    );
    await cli(["deploy", "talk.ts"]);
    write("fail.ts", `export function execute(ctx) {\n  throw new Error("no luck");\n}\n`);
    await cli(["deploy", "fail.ts"]);
  });

  test("a background call takes a priority and a delay, and a failed run can be resumed", async () => {
    const later = ["run", "echo", "--background", "--priority", "-5", "--delay", "2h", "--json"];
    expect(JSON.parse((await cli(later)).out)).toMatchObject({ status: "queued", priority: -5, attempts: 1 });
    for (const flags of [
      ["--delay", "1h"],
      ["--background", "--delay", "soon"],
      ["--background", "--priority", "high"],
    ])
      expect((await cli(["run", "echo", ...flags])).code).toBe(2);
    const failed = (await cli(["run", "fail", "--background"])).out.trim();
    expect(failed).toMatch(/^exec_/);
    await cli(["logs", failed, "--follow"]);
    expect(await cli(["resume", failed])).toMatchObject({ code: 0, out: `${failed}\n` });
    expect((await cli(["resume", "exec_00000000000000000000000000000000"])).code).toBe(4);
  });

  test("input comes from the line, a file or stdin", async () => {
    write("input.json", `{"from":"file"}`);
    const output = async (args: readonly string[], stdin?: string) =>
      JSON.parse((await cli(["run", "echo", ...args], stdin === undefined ? {} : { stdin })).out).input;
    expect(await output(["--input", `{"from":"line"}`])).toEqual({ from: "line" });
    expect(await output(["--input", "@input.json"])).toEqual({ from: "file" });
    expect(await output(["--input", "-"], `{"from":"stdin"}`)).toEqual({ from: "stdin" });
    expect(await output([])).toEqual({});
  });

  test("messages and secrets are passed on, secrets also from the environment", async () => {
    const args = ["run", "echo", "--message", "hi", "--secret", "TOKEN", "--no-cache"];
    const { out } = await cli(args, { env: { TOKEN: "0123456789" } });
    expect(JSON.parse(out)).toMatchObject({ input: null, messages: [{ role: "user", content: "hi" }], secret: 10 });
  });

  test("a stream shows chunks and text once", async () => {
    const { code, out } = await cli(["run", "talk", "--stream"]);
    expect({ code, out }).toEqual({ code: 0, out: '[progress] {"pct":50}\nHello, you\n' });
  });

  test("a stream as JSON is one frame per line", async () => {
    const { out } = await cli(["run", "talk", "--stream", "--json"]);
    const frames = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(frames.map((frame) => frame.type)).toEqual(["progress", "delta", "delta", undefined]);
    expect(frames.at(-1)).toMatchObject({ object: "chat.completion", output: "Hello, you" });
  });

  test.each([[[]], [["--stream"]]])("a failed run exits with 1 and shows where it failed %j", async (flags) => {
    const { code, err } = await cli(["run", "fail", ...flags]);
    expect(code).toBe(1);
    expect(err).toMatch(/^✗ fail\.ts:2:\d+: .*no luck/);
  });

  test("a status that the script chose is a failed run, not a missing workflow", async () => {
    write(
      "choosy.ts",
      `import { WorkflowError } from "weft";
export function execute() {
  throw new WorkflowError("no such order", { status: 404, code: "order_not_found" });
}`,
    );
    await cli(["deploy", "choosy.ts"]);
    const { code, err } = await cli(["run", "choosy", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(err).error).toMatchObject({ status: 404, code: "order_not_found", message: "no such order" });
  });

  test("--background prints an id that logs follows to its end", async () => {
    const { code, out } = await cli(["run", "talk", "--background", "--no-cache"]);
    expect(code).toBe(0);
    const followed = await cli(["logs", out.trim(), "--follow"]);
    expect(followed).toMatchObject({ code: 0 });
    expect(followed.out).toMatch(/info {2}half way \{"pct":50\}\n$/);
    expect(followed.err).toContain("completed");
    const json = await cli(["logs", out.trim(), "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ level: "info", message: "half way" });
  });
});

describe("list, versions and rollback", () => {
  test("show and change the active version", async () => {
    write("turn.ts", "export const execute = () => 1;");
    await cli(["deploy", "turn.ts"]);
    write("turn.ts", "export const execute = () => 2;");
    await cli(["deploy", "turn.ts", "--bump", "patch", "--notes", "second"]);

    expect((await cli(["list"])).out).toMatch(/^turn +1\.0\.1/m);
    const listed = JSON.parse((await cli(["list", "--json"])).out);
    expect(listed.find((item: { workflow_ref_name: string }) => item.workflow_ref_name === "turn")).toBeDefined();

    expect((await cli(["versions", "turn"])).out).toMatch(/^\* +1\.0\.1 .*second$/m);
    expect(await cli(["rollback", "turn", "1.0.0"])).toMatchObject({ code: 0, out: "✓ turn is now 1.0.0\n" });
    expect((await cli(["run", "turn"])).out).toBe("1\n");
    expect((await cli(["versions", "turn"])).out).toMatch(/^\* +1\.0\.0/m);
  });
});

describe("what the server refuses exits with 4", () => {
  test.each([
    [["run", "nowhere"], "Workflow not found: nowhere"],
    [["versions", "nowhere"], "nowhere"],
    [["rollback", "echo", "9.9.9"], "9.9.9"],
    [["logs", "exec_00000000000000000000000000000000"], "not found"],
  ])("%j", async (args, message) => {
    const { code, err } = await cli(args);
    expect(code).toBe(4);
    expect(err).toContain(message);
  });

  test("a wrong key says what to set", async () => {
    const { code, err } = await cli(["list", "--json"], { env: { WEFT_API_KEY: "wrong" } });
    expect(code).toBe(4);
    expect(JSON.parse(err).error).toMatchObject({ exit: 4, status: 401 });
    expect(err).toContain("set WEFT_API_KEY");
  });
});
