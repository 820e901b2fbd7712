import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBundler } from "../../runtime/bundle/bundler.ts";
import { buildVirtual, stopEsbuild } from "../../runtime/bundle/esbuild.ts";
import type { SourceFile } from "../../runtime/bundle-types.ts";
import { WorkflowError } from "../../runtime/errors.ts";

const SECRET = "hunter2-top-secret";
const bundler = createBundler({ timeoutMs: 60_000 });
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "weft-secret-"));
  mkdirSync(join(directory, "sub"));
  writeFileSync(join(directory, "secret.json"), JSON.stringify({ SECRET }));
  writeFileSync(join(directory, "secret.js"), `module.exports = "${SECRET}"`);
  writeFileSync(join(directory, "secret.txt"), SECRET);
  writeFileSync(join(directory, "broken.js"), `${SECRET} ][`);
  writeFileSync(join(directory, "secret.map"), `{"version":3,"sources":["${SECRET}"],"mappings":"AAAA"}`);
});
afterAll(async () => {
  await bundler.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Everything the author gets to see of an attempt: the bundle or the error. */
async function attempt(text: string, more: readonly SourceFile[] = []): Promise<{ ok: boolean; seen: string }> {
  try {
    const bundle = await bundler.bundle({ entry: "main.ts", files: [{ path: "main.ts", text }, ...more] });
    return { ok: true, seen: JSON.stringify(bundle) };
  } catch (error) {
    if (!(error instanceof WorkflowError) || error.code !== "BUNDLE_FAILED") throw error;
    return { ok: false, seen: JSON.stringify([error.message, error.details]) };
  }
}

const EXECUTE = "\nexport const execute = () => 1;";

describe("an upload cannot reach the disk", () => {
  test.each<[string, (from: (file: string) => string) => string]>([
    ["computed import", (at) => `const x = "secret"; export const y = import("${at("")}" + x + ".json")`],
    ["template import", (at) => `const x = "secret"; export const y = import(\`${at("")}\${x}.json\`)`],
    ["computed require", (at) => `const x = "secret"; export const y = require("${at("")}" + x + ".json")`],
    ["template require", (at) => `const x = "secret"; export const y = require(\`${at("")}\${x}.js\`)`],
    ["import with options", (at) => `export const y = import("${at("secret.json")}", { with: { type: "json" } })`],
    ["literal import()", (at) => `export const y = import("${at("secret.js")}")`],
    ["import()", (at) => `export const y = import(\`${at("secret.js")}\`)`],
    ["static import", (at) => `import y from "${at("secret.js")}"; console.log(y)`],
    ["side effect import", (at) => `import "${at("broken.js")}"`],
    ["require", (at) => `export const y = require("${at("secret.json")}")`],
    ["import = require", (at) => `import y = require("${at("secret.js")}"); console.log(y)`],
    ["export from", (at) => `export { y } from "${at("secret.js")}"`],
    ["export star", (at) => `export * from "${at("secret.js")}"`],
    ["text attribute", (at) => `import y from "${at("secret.txt")}" with { type: "text" }; console.log(y)`],
    ["bytes attribute", (at) => `import y from "${at("secret.txt")}" with { type: "bytes" }; console.log(y)`],
    ["json attribute", (at) => `import y from "${at("secret.json")}" with { type: "json" }; console.log(y)`],
    ["renamed require", (at) => `const r = require; export const y = r("${at("secret.js")}")`],
    ["indirect require", (at) => `export const y = (0, require)("${at("secret.js")}")`],
    ["optional require", (at) => `export const y = require?.("${at("secret.js")}" + "")`],
    ["require.resolve", (at) => `export const y = require.resolve("${at("secret.js")}")`],
    ["import.meta", () => "export const y = import.meta.dirname"],
    ["URL of import.meta", (at) => `export const y = new URL("${at("secret.txt")}", import.meta.url)`],
    ["import.meta.resolve", (at) => `export const y = import.meta.resolve("${at("secret.txt")}")`],
    ["JSX import source", (at) => `/** @jsxImportSource ${at("secret")} */\nimport "${at("secret.js")}"`],
  ])("%s", async (_, script) => {
    const bases = [
      `${directory}/`,
      `${relative(process.cwd(), directory)}/`,
      `./${relative(tmpdir(), directory)}/`,
      `file://${directory}/`,
      "../",
    ];
    for (const base of bases) {
      const { ok, seen } = await attempt(script((file) => base + file) + EXECUTE);
      expect({ base, ok, leaked: seen.includes(SECRET) }).toEqual({ base, ok: false, leaked: false });
    }
  });

  test.each([
    "data:text/javascript,export default 1",
    "http://127.0.0.1/x.js",
    "https://example.com/x.js",
    "file:///etc/hostname",
    "/etc/hostname",
    "//host/x",
    "C:\\\\x.js",
    "\\\\etc\\\\hostname",
    "#internal",
    "",
    ".",
    "..",
    "upload:main.ts",
    "weft:entry",
    "web:url.ts",
    "vendor:url-library.ts",
    "package:zod/index.js",
    "./main.ts\\0.json",
    "zod/../../package.json",
    "zod/%2e%2e/%2e%2e/package.json",
    "zod/..%2f..%2fpackage.json",
    "lodash-es/../../package.json",
    "esbuild",
    "isolated-vm",
    "@types/node/index.d.ts",
    "__proto__",
    "constructor",
    "node:constructor",
  ])("import of %j is refused", async (specifier) => {
    for (const script of [
      `import y from "${specifier}"; console.log(y)`,
      `export const y = import("${specifier}")`,
      `export const y = require("${specifier}")`,
    ]) {
      expect((await attempt(script + EXECUTE)).ok).toBe(false);
    }
  });

  test("a JSX upload cannot name a runtime outside", async () => {
    for (const source of [`${directory}/secret`, "../secret", "react"]) {
      const text = `/** @jsxRuntime automatic */\n/** @jsxImportSource ${source} */\nexport default <a/>;\nexport const execute = () => 1`;
      const { ok, seen } = await attempt(`export * from "./view"`, [{ path: "view.tsx", text }]);
      expect({ ok, leaked: seen.includes(SECRET) }).toEqual({ ok: false, leaked: false });
    }
  });

  test("source map comments read nothing and rename nothing", async () => {
    const inline = Buffer.from(`{"version":3,"sources":["/etc/hostname"],"names":[],"mappings":"AAAA"}`).toString(
      "base64",
    );
    const comments = [
      `//# sourceMappingURL=file://${directory}/secret.map`,
      `//# sourceMappingURL=${directory}/secret.map`,
      `//@ sourceMappingURL=${relative(process.cwd(), directory)}/secret.map`,
      `/*# sourceMappingURL=../secret.map */`,
      `//# sourceMappingURL=data:application/json;base64,${inline}`,
    ];
    for (const comment of comments) {
      const { ok, seen } = await attempt(`export const execute = () => "//# sourceMappingURL=kept";\n${comment}`);
      expect(ok).toBe(true);
      expect(seen).toContain("sourceMappingURL=kept");
      expect(seen).not.toContain(SECRET);
      expect(seen).not.toContain("hostname");
    }
  });

  test("uploaded configuration files are only data", async () => {
    const files = [
      {
        path: "tsconfig.json",
        text: `{"extends":"${directory}/secret.json","compilerOptions":{"paths":{"x":["${directory}/secret.js"]},"jsxFactory":"evil"}}`,
      },
      {
        path: "package.json",
        text: `{"imports":{"#x":"${directory}/secret.js"},"browser":{"./a":"${directory}/secret.js"}}`,
      },
    ];
    expect((await attempt(`import x from "x"; console.log(x)${EXECUTE}`, files)).ok).toBe(false);
    expect((await attempt(`import x from "#x"; console.log(x)${EXECUTE}`, files)).ok).toBe(false);
    expect((await attempt(`import x from "./package.json"; export const execute = () => x.imports`, files)).ok).toBe(
      true,
    );
  });

  test("an upload file is not read in another way than its name says", async () => {
    const data = [
      { path: "data.json", text: "{}" },
      { path: "code.ts", text: "export default 1" },
    ];
    for (const type of ["text", "file", "bytes", "dataurl", "css"]) {
      expect(
        (await attempt(`import x from "./code.ts" with { type: "${type}" }; console.log(x)${EXECUTE}`, data)).ok,
      ).toBe(false);
    }
    expect((await attempt(`import x from "./code.ts" with { type: "json" }; console.log(x)${EXECUTE}`, data)).ok).toBe(
      false,
    );
  });
});

describe("a bundle", () => {
  test("names no path of this machine, also when it holds packages", async () => {
    const text = `import { z } from "zod"; import { chunk } from "lodash-es"; export const execute = () => [z, chunk, fetch, new URL("http://a"), import("./b")]`;
    const { ok, seen } = await attempt(text, [{ path: "b.ts", text: "export const b = 1" }]);
    expect(ok).toBe(true);
    expect(seen).not.toContain(process.cwd());
    expect(seen).not.toContain(import.meta.dirname);
  });

  test("is one function expression whatever the source tries", async () => {
    for (const text of [
      "})(); globalThis.out = 1; (function(){",
      "\u2028}});",
      "<!-- html\n",
      "#!/bin/sh\n",
      "return 1;",
      "'use strict'; with (a) {}",
    ]) {
      const { ok, seen } = await attempt(text + EXECUTE);
      if (!ok) continue;
      const { code } = JSON.parse(seen) as { code: string };
      expect(typeof new Function(`return ${code}`)()).toBe("function");
    }
  });
});

test("a build whose space refuses everything reads nothing, even for what esbuild expands itself", async () => {
  const text = `const x = "secret"; out = [import("${directory}/" + x + ".json"), require("${directory}/" + x + ".js")]`;
  const outcome = await buildVirtual({
    entry: { namespace: "weft", path: "entry" },
    inject: [],
    globalName: "g",
    directory,
    space: {
      resolve: () => ({ refusal: "no" }),
      load: async ({ namespace }) => {
        if (namespace !== "weft") throw new Error("nothing else can be read");
        return { text, loader: "js" };
      },
    },
  });
  expect(JSON.stringify(outcome)).not.toContain(SECRET);
  await stopEsbuild();
});
