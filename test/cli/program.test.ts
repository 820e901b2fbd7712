import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/index.ts";
import { SETTINGS } from "../../src/config.ts";
import { weft } from "./capture.ts";

describe("help", () => {
  test("names every command, every setting and every exit code", async () => {
    const { code, out, err } = await weft(["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const command of COMMANDS) expect(out).toMatch(new RegExp(`^  ${command.name}\\b`, "m"));
    for (const setting of SETTINGS) expect(out).toContain(`  ${setting.name} `);
    for (const exit of ["0", "1", "2", "3", "4", "130"]) expect(out).toMatch(new RegExp(`^  ${exit} +\\w`, "m"));
  });

  test.each(COMMANDS.map((command) => command.name))("of %s shows --json and an example", async (name) => {
    const { code, out } = await weft([name, "--help"]);
    expect(code).toBe(0);
    expect(out).toContain("--json");
    expect(out).toMatch(/Examples:\n {2}.*weft /);
  });

  test("command names are unique", () => {
    expect(new Set(COMMANDS.map((command) => command.name)).size).toBe(COMMANDS.length);
  });
});

describe("a wrong command line exits with 2 and says why", () => {
  test.each([
    [["lst"], "unknown command 'lst'"],
    [["run"], "missing required argument 'ref'"],
    [["list", "--nope"], "unknown option '--nope'"],
    [["list", "extra"], "too many arguments"],
    [["run", "x", "--input", "{bad"], "--input: the text is not JSON: {bad"],
    [["run", "x", "--input", "@nothing.json"], "--input: nothing.json cannot be read"],
    [["run", "x", "--stream", "--background"], "--stream and --background exclude each other"],
    [["run", "x", "--secret", "WEFT_TEST_NOT_SET"], "--secret: WEFT_TEST_NOT_SET is not set in the environment"],
    [["deploy", "nothing.ts"], "nothing.ts: cannot be read (ENOENT)"],
    [["deploy", "examples/hello.ts", "--bump", "huge"], '--bump: must be one of major, minor, patch, got "huge"'],
    [["deploy", "examples/hello.ts", "--env", "A"], '--env: expected KEY=VALUE, got "A"'],
    [["dev", "examples/hello.ts", "--input", "-"], "--input: dev runs more than once and cannot read stdin; use @file"],
  ])("%j", async (args, message) => {
    const { code, out, err } = await weft(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });

  test("as JSON when asked", async () => {
    const { code, err } = await weft(["list", "--nope", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(err)).toEqual({ error: { exit: 2, message: "unknown option '--nope'" } });
  });

  test("stdin that is not JSON is named", async () => {
    const { code, err } = await weft(["run", "x", "--input", "-"], { stdin: "hello" });
    expect(code).toBe(2);
    expect(err).toContain("--input: stdin is not JSON: hello");
  });
});

describe("without a Weft server that answers", () => {
  let url = "";
  const server = createServer((request, response) => {
    if (request.method === "GET") return void response.end("<html>");
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify({ type: "one", content: 1, choices: [{ delta: {} }] })}\n\n`);
    if (request.headers.authorization === "Bearer lose") setTimeout(() => response.destroy(), 20);
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("exit 3 names the address and how to start one", async () => {
    const { code, err } = await weft(["list"], { env: { WEFT_URL: "http://127.0.0.1:1" } });
    expect(code).toBe(3);
    expect(err).toContain("Cannot reach the Weft server at http://127.0.0.1:1");
    expect(err).toContain("weft start");
  });

  test("a connection lost in the middle of a stream exits with 3", async () => {
    const env = { WEFT_URL: url, WEFT_API_KEY: "lose" };
    const { code, out, err } = await weft(["run", "x", "--stream"], { env });
    expect({ code, out }).toEqual({ code: 3, out: "[one] 1\n" });
    expect(err).toContain(url);
  });

  test("Ctrl-C in the middle of a stream exits with 130 and no complaint", async () => {
    const ending = new AbortController();
    const options = { env: { WEFT_URL: url }, signal: ending.signal, onWrite: () => ending.abort() };
    expect(await weft(["run", "x", "--stream"], options)).toEqual({ code: 130, out: "[one] 1\n", err: "" });
  });

  test("a server that is not Weft is recognised", async () => {
    const { code, err } = await weft(["list"], { env: { WEFT_URL: url } });
    expect(code).toBe(1);
    expect(err).toContain("did not answer with JSON; is it a Weft server?");
  });
});
