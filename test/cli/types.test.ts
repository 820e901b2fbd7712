import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileGraph } from "../../src/graph/compile.ts";
import { parseGraph } from "../../src/graph/parse-graph.ts";
import { MARKETING, STARTER, SUPPORT } from "../graph/samples.ts";
import { weft } from "./capture.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "weft-types-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function compile(script: string): string {
  writeFileSync(join(directory, "script.ts"), script);
  const tsc = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
  const args = [
    tsc,
    "--noEmit",
    "--strict",
    "--target",
    "esnext",
    "--lib",
    "esnext,dom",
    "--types",
    "",
    "weft.d.ts",
    "script.ts",
  ];
  try {
    return execFileSync(process.execPath, args, { cwd: directory, encoding: "utf8" });
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

test("the printed types let an editor check a script anywhere", async () => {
  const { code, out } = await weft(["types"]);
  expect(code).toBe(0);
  writeFileSync(join(directory, "weft.d.ts"), out);
  const good = `import { type WorkflowContext, WorkflowError } from "weft";
    export async function execute(ctx: WorkflowContext<{ n: number }>) {
      if (ctx.input.n < 0) throw new WorkflowError("n", { status: 422 });
      const reply = await ctx.chat.completions.create({ messages: [{ role: "user", content: String(ctx.input.n) }] });
      const page = await ctx.http.get("https://example.com");
      await ctx.sleep("10s");
      ctx.emit({ type: "page", content: page.json() });
      return { text: reply.choices[0].message.content };
    }`;
  expect(compile(good)).toBe("");
  expect(compile(good.replace("ctx.sleep", "ctx.slep"))).toContain("script.ts(6,");
  for (const [dialect, document] of [
    ["motte", SUPPORT],
    ["solcognia", MARKETING],
    ["powabase", STARTER],
  ] as const) {
    const [main] = compileGraph(parseGraph({ dialect, document }).graph).upload.files;
    // Scripts of nodes are files of their own.
    expect(compile((main?.text ?? "").replaceAll(/^import (script\d+) from .*$/gm, "declare const $1: never;"))).toBe(
      "",
    );
  }
});
