import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HostileServer, startHostileServer } from "../support/hostile.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer("fast");
});
afterAll(async () => {
  expect(server.reported).toEqual([]);
  await server.close();
});

const EXECUTE = "export const execute = () => 1;";
const configured = (config: string) => `export const config = ${config};\n${EXECUTE}`;

interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly line_text: string;
  readonly text: string;
}

describe("a script that is wrong is refused with its place", () => {
  test.each<[name: string, script: string, place: Partial<Problem>, says: string]>([
    [
      "a missing brace",
      "export function execute(ctx) {\n  return { a: 1 ;\n}",
      { line: 2, column: 16, line_text: "  return { a: 1 ;" },
      "Expected",
    ],
    ["an unknown token", `const a = 1;\nconst b = @@;\n${EXECUTE}`, { line: 2, column: 11 }, "Expected"],
    ["an unclosed string", `const a = "x\n${EXECUTE}`, { line: 1 }, "Unterminated"],
    [
      "a name declared twice",
      `const a = 1;\nconst a = 2;\n${EXECUTE}`,
      { line: 2, column: 6 },
      "already been declared",
    ],
    ["two exported execute", `${EXECUTE}\nexport function execute() { return 2 }`, {}, "execute"],
    ["execute and a default", `${EXECUTE}\nexport default function other() { return 2 }`, {}, "execute"],
    ["await outside of a function that is async", "export function execute() { await 1; }", { line: 1 }, "await"],
    ["an import of a Node module", `import fs from "node:fs";\nexport const execute = () => fs;`, { line: 1 }, "fs"],
    [
      "an unknown package",
      `import x from "no-such-package";\nexport const execute = () => x;`,
      { line: 1 },
      "no-such-package",
    ],
    [
      "a computed import",
      `const name = "x";\nexport const execute = () => import("./" + name);`,
      { line: 2 },
      "import",
    ],
    ["a throw while it is loaded", `const a = 1;\nthrow new Error("at load");\n${EXECUTE}`, { line: 2 }, "at load"],
    ["no execute", "export const run = () => 1;", {}, "found 0"],
    ["an execute that is no function", "export const execute = 5;", {}, "execute"],
    ["nothing", " ", {}, "execute"],
  ])("%s", async (_, script, place, says) => {
    const { status, code, message, body } = await server.post("/api/v1/workflows/upload", {
      workflow_ref_name: "bad",
      script,
    });
    expect([status, code]).toEqual([400, "invalid_script"]);
    expect(message).toContain(says);
    const [problem] = (body["error"] as { readonly details?: readonly Problem[] }).details ?? [];
    if (Object.keys(place).length > 0) expect(problem).toMatchObject({ file: "workflow.ts", ...place });
    expect(JSON.stringify(body)).not.toMatch(/node_modules|upload:|file:\/\//);
  });
});

describe("a config that is wrong is refused by name", () => {
  test.each<[config: string, says: string]>([
    ["{ timeot: '1s' }", "config.timeot: there is no such setting"],
    ["{ cache: { ttl: '1h', tll: 1 } }", "config.cache.tll"],
    ["{ cache: {} }", "config.cache.ttl"],
    ["{ http: { allow: 'example.com' } }", "config.http.allow"],
    ["{ http: { allow: ['http://x/'] } }", "config.http.allow"],
    ["{ timeout: 'soon' }", 'got "soon"'],
    ["{ timeout: -1 }", "config.timeout"],
    ["{ timeout: 1n }", "BigInt"],
    ["{ budget: { usd: '5' } }", "config.budget.usd"],
    ["{ isolation: 'none' }", "config.isolation"],
    ["{ on_disconnect: true }", "config.on_disconnect"],
    ["{ validate_input: 'yes' }", "config.validate_input"],
    ["[]", "config"],
    ["'fast'", "config"],
    ["{ __proto__: { timeot: 1 }, ['__proto__']: 1 }", "config.__proto__"],
  ])("%s", async (config, says) => {
    const { status, code, message } = await server.upload("bad", configured(config));
    expect([status, code]).toEqual([400, "invalid_script"]);
    expect(message).toContain(says);
  });
});

describe("members of the wrong type are refused by name", () => {
  test.each<[path: string, body: unknown, says: string]>([
    ["upload", { workflow_ref_name: 5, script: EXECUTE }, "workflow_ref_name"],
    ["upload", { workflow_ref_name: "x", script: {} }, "script"],
    ["upload", { workflow_ref_name: "x", script: EXECUTE, scrpt: 1 }, "scrpt"],
    ["upload", { workflow_ref_name: "x", script: EXECUTE, timeout_seconds: "1" }, "timeout_seconds"],
    ["upload", { workflow_ref_name: "x", script: EXECUTE, timeout_seconds: 1e300 }, "timeout"],
    ["upload", { workflow_ref_name: "x", script: EXECUTE, env: { A: 1 } }, "env"],
    [
      "upload",
      { workflow_ref_name: "x", script: EXECUTE, accessories: [{ key: "a", content_base64: "***" }] },
      "accessories",
    ],
    ["upload", { workflow_ref_name: "x", script: EXECUTE, files: [{ path: "../../x.ts", text: "" }] }, "x.ts"],
    ["upload", { workflow_ref_name: "../x", script: EXECUTE }, "ref"],
    ["upload", { workflow_ref_name: "", script: EXECUTE }, "ref"],
    ["upload", { workflow_ref_name: "x".repeat(65), script: EXECUTE }, "ref"],
    ["upload", { workflow_ref_name: "a\u0000b", script: EXECUTE }, "ref"],
  ])("%s %#", async (path, body, says) => {
    const { status, message } = await server.post(`/api/v1/workflows/${path}`, body);
    expect(status).toBe(400);
    expect(message).toContain(says);
  });

  test.each<[body: Record<string, unknown>, says: string]>([
    [{ messages: "hi" }, "messages"],
    [{ messages: [1] }, "messages"],
    [{ secrets: { a: 1 } }, "secrets"],
    [{ secrets: "x" }, "secrets"],
    [{ metadata: [] }, "metadata"],
    [{ stream: "yes" }, "stream"],
    [{ session_id: 5 }, "session_id"],
    [{ cache: "maybe" }, "cache"],
    [{ timeout_seconds: 0 }, "timeout_seconds"],
    [{ timeout_seconds: "1" }, "timeout_seconds"],
    [{ background: 1 }, "background"],
    [{ on_disconnect: "explode" }, "on_disconnect"],
    [{ model: 5 }, "model"],
    [{ model: "workflow:" }, "model"],
    [{ model: `workflow:${"x".repeat(100_000)}` }, ""],
  ])("invoke %#", async (body, says) => {
    const { status, message } = await server.call("quick", body);
    expect([400, 404]).toContain(status);
    expect(message).toContain(says);
    expect(message.length).toBeLessThan(1_000);
  });
});

describe("a full server", () => {
  test("refuses what it cannot queue with 429 and says when to come back", async () => {
    const full = await startHostileServer("fast", { WEFT_MAX_CONCURRENT: "1", WEFT_MAX_QUEUED: "0" });
    try {
      await full.upload("waits", "await ctx.sleep(400); return 'waited';");
      const answers = await Promise.all([full.call("waits"), full.call("waits"), full.call("quick")]);
      expect(answers.map(({ code }) => code).sort()).toEqual(["ok", "queue_full", "queue_full"]);
      for (const { status, headers } of answers.filter(({ code }) => code !== "ok")) {
        expect(status).toBe(429);
        expect(headers.get("x-should-retry")).toBe("true");
        expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
      }
      expect((await full.call("quick")).code).toBe("ok");
    } finally {
      await full.close();
    }
  });
});
