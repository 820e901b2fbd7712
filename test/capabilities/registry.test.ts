import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CAPABILITIES, findOp, MANIFEST } from "../../runtime/capabilities/index.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";

const root = join(import.meta.dirname, "../..");
/** Files of the folder that are parts of a capability or the port itself. */
const NOT_CAPABILITIES = new Set([
  "capability.ts",
  "index.ts",
  "agent-tools.ts",
  "arguments.ts",
  "http-arguments.ts",
  "chat-arguments.ts",
  "crypto-queue.ts",
  "cut-text.ts",
  "read-part.ts",
]);

const ALL_OPS = CAPABILITIES.flatMap(({ ops }) => Object.keys(ops));

describe("the registry of capabilities", () => {
  it("names every capability file", async () => {
    const files = (await readdir(join(root, "runtime/capabilities"))).filter((file) => !NOT_CAPABILITIES.has(file));
    const nameOf = (file: string) => file.replace(".ts", "").replace(/-./g, (dash) => dash.slice(1).toUpperCase());
    expect(files.map(nameOf).sort()).toEqual(CAPABILITIES.map(({ name }) => name).sort());
  });

  it("has unique op names, each under its capability's name", () => {
    const names = CAPABILITIES.flatMap(({ name, ops }) => Object.keys(ops).map((op) => ({ name, op })));
    expect(new Set(names.map(({ op }) => op)).size).toBe(names.length);
    for (const { name, op } of names) expect(op === name || op.startsWith(`${name}.`)).toBe(true);
  });

  it("says of which ops one under way goes on when its attempt is lost; waits are begun again", () => {
    const names = [
      "agents.tool",
      "agents.tools",
      "chat.completions.create",
      "datastore.embed",
      "http.request",
      "workflow.completions.create",
    ];
    expect(ALL_OPS.filter((name) => findOp(name)?.sends).sort()).toEqual(names);
  });

  it("puts on ctx what authors are told of, and nothing else", () => {
    expect([...MANIFEST].sort()).toEqual([
      "accessories.read",
      "agents.load",
      "agents.tool",
      "agents.tools",
      "approve",
      "approve.request",
      "chat.completions.create",
      "datastore.count",
      "datastore.embed",
      "datastore.get",
      "datastore.query",
      "datastore.scan",
      "datastore.search",
      "files.list",
      "files.piece",
      "files.read",
      "files.stat",
      "files.write",
      "http.request",
      "sleep",
      "waitFor",
      "workflow.completions.create",
    ]);
  });

  it("finds each op and nothing else", () => {
    for (const name of ALL_OPS) expect(findOp(name)).toBeDefined();
    for (const name of ["", "constructor", "__proto__", "http", "http.request.x"]) expect(findOp(name)).toBeUndefined();
  });

  it("documents each capability with limits that exist", () => {
    for (const { doc } of CAPABILITIES) {
      expect(doc.member).not.toBe("");
      expect(doc.sentence).toMatch(/\.$/);
      for (const limit of doc.limits) expect(Object.keys(DEFAULT_LIMITS)).toContain(limit);
    }
  });

  it("has a test that uses every op", async () => {
    const files = await readdir(join(root, "test"), { recursive: true });
    const tests = files.filter((file) => file.endsWith(".ts") && !file.includes("registry"));
    const texts = await Promise.all(tests.map((file) => readFile(join(root, "test", file), "utf8")));
    const all = texts.join("\n");
    const member = (op: string) => op.replace("accessories.read", "accessories.").replace("timer", "setTimeout");
    expect(ALL_OPS.filter((op) => !all.includes(op) && !all.includes(member(op)))).toEqual([]);
  });
});
