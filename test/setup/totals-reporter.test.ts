import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "weft-totals-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Last line that vitest prints for one test file of the given text. */
async function lastLine(text: string): Promise<string | undefined> {
  const reporters = ["default", join(root, "test/setup/totals-reporter.ts")];
  await writeFile(join(directory, "sample.test.js"), text);
  await writeFile(
    join(directory, "vitest.config.js"),
    `export default ${JSON.stringify({ test: { globals: true, reporters } })}`,
  );
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const output = await new Promise<string>((done) => {
    execFile(process.execPath, [vitest, "run"], { cwd: directory }, (_error, stdout, stderr) => done(stdout || stderr));
  });
  return output.trimEnd().split("\n").at(-1);
}

test("the last line counts what passed and failed", async () => {
  const text = `test("a", () => {}); test("b", () => {}); test("c", () => { throw new Error("no"); });`;
  expect(await lastLine(text)).toBe("2 passed, 1 failed");
});

test("skipped tests are counted only when there are some", async () => {
  expect(await lastLine(`test("a", () => {}); test.skip("b", () => {});`)).toBe("1 passed, 0 failed, 1 skipped");
});

test("a file that cannot be loaded is a failure", async () => {
  expect(await lastLine(`throw new Error("broken");`)).toBe("0 passed, 1 failed");
});

test("an error outside any test is a failure", async () => {
  const text = `test("a", async () => { setTimeout(() => { throw new Error("late"); }); await new Promise((r) => setTimeout(r, 50)); });`;
  expect(await lastLine(text)).toBe("1 passed, 1 failed");
});
