import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { collectSources, refOf } from "../../src/cli/sources.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "weft-sources-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const paths = (...files: readonly string[]) => collectSources(files, root).map((file) => file.path);

test("a lone file is uploaded under its own name", () => {
  write("flows/main.ts", "export const execute = () => 1;");
  expect(paths("flows/main.ts")).toEqual(["main.ts"]);
});

test("relative imports are followed, the entry stays first", () => {
  write(
    "flows/main.ts",
    `import { a } from "./a.ts";\nexport { b } from '../lib/b';\nconst c = await import("./c.js");`,
  );
  write("flows/a.ts", `import "./data.json";`);
  write("flows/data.json", "{}");
  write("flows/c.ts", "");
  write("lib/b.ts", `import type { Main } from "../flows/main.ts";`);
  expect(paths("flows/main.ts")).toEqual(["flows/main.ts", "flows/a.ts", "lib/b.ts", "flows/c.ts", "flows/data.json"]);
});

test("packages and files that do not exist are left to the server", () => {
  write("main.ts", `import { z } from "zod";\nimport { x } from "./missing.ts";`);
  expect(paths("main.ts")).toEqual(["main.ts"]);
});

test("only script files are followed", () => {
  write("main.ts", `import "./secret.env";\nimport "./key";`);
  write("secret.env", "A=1");
  write("key", "k");
  expect(paths("main.ts")).toEqual(["main.ts"]);
});

test("several files may be named", () => {
  write("main.ts", "");
  write("other/b.ts", "");
  expect(paths("main.ts", "other/b.ts")).toEqual(["main.ts", "other/b.ts"]);
});

test("a file that cannot be read is a usage error naming it", () => {
  expect(() => paths("nothing.ts")).toThrow("nothing.ts: cannot be read (ENOENT)");
});

test("the ref is the file's name", () => {
  expect(refOf("flows/my-flow.ts")).toBe("my-flow");
});
