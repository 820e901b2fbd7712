import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

interface Proof {
  readonly file: string;
  readonly name: string;
}

/** Rows of the tables under "Promises": what is promised, and the tests that prove it. */
function readPromises(text: string): readonly { readonly promise: string; readonly proofs: readonly Proof[] }[] {
  const [, section = ""] = text.split("\n## Promises\n");
  const rows = (section.split("\n## ", 1)[0] ?? "").split("\n").filter((line) => /^\| (?!promise \|)/.test(line));
  return rows.map((row) => {
    const [, promise = "", proof = ""] = row.split(" | ").length === 2 ? ["", ...row.split(" | ")] : [];
    const proofs = [...proof.matchAll(/`(test\/[\w/.-]+\.ts)` "([^"]+)"/g)].map(([, file = "", name = ""]) => ({
      file,
      name,
    }));
    return { promise: promise.replace(/^\| /, ""), proofs };
  });
}

/** What is wrong with the proofs of a text, by promise. */
function faultsOf(text: string): readonly string[] {
  return readPromises(text).flatMap(({ promise, proofs }) => {
    if (proofs.length === 0) return [`${promise}: names no test`];
    return proofs.flatMap(({ file, name }) => {
      const path = join(root, file);
      if (!existsSync(path)) return [`${promise}: ${file} is not there`];
      const source = readFileSync(path, "utf8");
      if (/\b(test|it|describe)\.(skip|todo)\b/.test(source)) return [`${promise}: ${file} skips tests`];
      return source.includes(name) ? [] : [`${promise}: ${file} has no "${name}"`];
    });
  });
}

const security = readFileSync(join(root, "SECURITY.md"), "utf8");

test("every promise of SECURITY.md names a test that is there and is not skipped", () => {
  expect(readPromises(security).length).toBeGreaterThan(30);
  expect(faultsOf(security)).toEqual([]);
});

test("a promise without a test, or with one that is not there, is found", () => {
  const table = (proof: string) => `\n## Promises\n\n| promise | proof |\n|---|---|\n| It holds. | ${proof} |\n`;
  expect(faultsOf(table("trust us"))).toEqual(["It holds.: names no test"]);
  expect(faultsOf(table('`test/nowhere.test.ts` "x"'))).toEqual(["It holds.: test/nowhere.test.ts is not there"]);
  const missing = ["no", "such", "name"].join(" ");
  expect(faultsOf(table(`\`test/owner-key.test.ts\` "${missing}"`))).toEqual([
    `It holds.: test/owner-key.test.ts has no "${missing}"`,
  ]);
});
