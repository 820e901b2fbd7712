import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** What Node says about its cache while it runs `weft --version`. */
async function readLog(): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", NODE_DEBUG_NATIVE: "COMPILE_CACHE" };
  const { stderr, stdout } = await run(process.execPath, [join(root, "src/cli/weft.mjs"), "--version"], {
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stderr + stdout;
}

test("the second start of a program finds all its code without types, beside the packages", async () => {
  await readLog();
  const log = await readLog();
  const lookups = log.split("\n").filter((line) => line.includes("retrieving transpile cache"));
  expect(lookups.length).toBeGreaterThan(10);
  // On a busy machine the end of one line can be lost, and the next one follows in it.
  expect(lookups.filter((line) => !line.includes("success"))).toEqual([]);
  expect(log).toContain(join(root, "node_modules/.cache/weft"));
});

test.each([
  "runtime/pool/thread.mjs",
  "runtime/bundle/thread.mjs",
  "runtime/datastores/query-main.mjs",
  "src/cli/weft.mjs",
])("%s looks for it before it loads TypeScript", async (entry) => {
  const lines = (await readFile(join(root, entry), "utf8")).split("\n").filter((line) => line.includes("import"));
  expect(lines[0]).toMatch(/^import ".*\/compile-cache\.mjs";$/);
  expect(lines.slice(1).map((line) => /await import\(/.test(line))).toEqual([true]);
});
