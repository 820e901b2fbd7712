import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { createBundler } from "../../runtime/bundle/bundler.ts";
import type { BundleProblem, SourceFile } from "../../runtime/bundle-types.ts";
import { WorkflowError } from "../../runtime/errors.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { runInGuest } from "./guest.ts";

const bundler = createBundler({ timeoutMs: 60_000 });
afterAll(() => bundler.close());

const main = (text: string) => ({ files: [{ path: "main.ts", text }] });
const files = (texts: Readonly<Record<string, string>>): SourceFile[] =>
  Object.entries(texts).map(([path, text]) => ({ path, text }));

async function refusal(upload: { files: readonly SourceFile[]; entry?: string }): Promise<WorkflowError> {
  const error: unknown = await bundler.bundle(upload).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorkflowError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.code).toBe("BUNDLE_FAILED");
  return error;
}

const firstProblem = (error: WorkflowError) => (error.details["problems"] as BundleProblem[])[0];

async function run(texts: Readonly<Record<string, string>>, input: unknown = null) {
  return (await runInGuest(await bundler.bundle({ files: files(texts) }), { input })).value;
}

describe("a bundle", () => {
  test("runs the author's TypeScript and hands over config and schemas", async () => {
    const bundle = await bundler.bundle(
      main(`import type { WorkflowContext } from "weft";
        export const config: object = { timeout: "60s" };
        export const inputSchema = { type: "object" } as const;
        export const OUTPUT_SCHEMA = { answer: { type: "string" } };
        export async function execute(ctx: WorkflowContext) { return { answer: ctx.input }; }`),
    );
    expect(await runInGuest(bundle, { input: 7 })).toEqual({ ok: true, value: { answer: 7 } });
    expect(await runInGuest(bundle, { mode: "describe" })).toEqual({
      ok: true,
      value: {
        config: { timeout: "60s" },
        inputSchema: { type: "object" },
        outputSchema: { answer: { type: "string" } },
      },
    });
  });

  test("describes what is absent as null", async () => {
    const bundle = await bundler.bundle(main("export const execute = () => 1"));
    expect((await runInGuest(bundle, { mode: "describe" })).value).toEqual({
      config: null,
      inputSchema: null,
      outputSchema: null,
    });
  });

  test("is the same text for the same source", async () => {
    const [one, two] = await Promise.all([
      bundler.bundle(main("export const execute = () => 1")),
      bundler.bundle(main("export const execute = () => 1")),
    ]);
    expect(one).toEqual(two);
  });

  test("evaluates its top level anew at every call", async () => {
    const { code } = await bundler.bundle(main("let n = 0; export const execute = () => ++n"));
    const module = new Function(`return ${code}`)() as (weft: object) => { execute(): number };
    const [first, second] = [module({}), module({})];
    expect([first.execute(), first.execute(), second.execute()]).toEqual([1, 2, 1]);
  });

  test("gives the error classes of weft", async () => {
    const value = await run({
      "main.ts": `import { WorkflowError, LimitError } from "weft";
        export const execute = () => [new LimitError("x") instanceof WorkflowError, LimitError === globalThis.LimitError]`,
    });
    expect(value).toEqual([true, true]);
  });

  test("accepts a default function, and a default that is execute itself", async () => {
    expect(await run({ "main.ts": "export default async (ctx) => ctx.input" }, 3)).toBe(3);
    expect(await run({ "main.ts": "export function execute() { return 4 }\nexport default execute" })).toBe(4);
    expect(await run({ "main.ts": "function run() { return 5 }\nexport { run as default }" })).toBe(5);
  });

  test("keeps names of the author that the wrapper uses too", async () => {
    const value = await run({
      "main.ts":
        "const weft = 1, $weft = 2, $realm = 3, schema = 4; export const execute = () => [weft, $weft, $realm, schema]",
    });
    expect(value).toEqual([1, 2, 3, 4]);
  });

  test("writes to globalThis without reaching another execution", async () => {
    const text = "globalThis.n = (globalThis.n ?? 0) + 1; export const execute = () => globalThis.n";
    expect(await run({ "main.ts": text })).toBe(1);
  });

  test("lowers what the engine does not run: decorators, using, enums", async () => {
    const value = await run({
      "main.ts": `enum Color { Red = 1 }
        const twice = (value: () => number, _: unknown) => function (this: unknown) { return 2 * value.call(this) };
        class A { @twice get() { return Color.Red } }
        export function execute() { const seen: string[] = []; { using x = { [Symbol.dispose]() { seen.push("done") } }; void x } return [new A().get(), seen] }`,
    });
    expect(value).toEqual([2, ["done"]]);
  });
});

describe("an upload of several files", () => {
  test("resolves relative imports as TypeScript does", async () => {
    const value = await run({
      "main.ts": `import { a } from "./lib/a.js"; import b from "./lib/b"; import data from "./data.json" with { type: "json" }; import more from "./data";
        import { index } from "./lib"; export const execute = async () => [a, b, data.n, more.n, index, (await import("./lib/late.ts")).late, require("./lib/old.js").old]`,
      "lib/a.ts": `export { shared as a } from "../shared.mjs"`,
      "lib/b.tsx": "export default 2",
      "lib/index.ts": "export const index = 4",
      "lib/late.ts": "export const late = 5",
      "lib/old.js": "exports.old = 6",
      "shared.mjs": "export const shared = 1",
      "data.json": `{"n": 3}`,
    });
    expect(value).toEqual([1, 2, 3, 3, 4, 5, 6]);
  });

  test("finds execute behind export *", async () => {
    expect(await run({ "main.ts": `export * from "./impl"`, "impl.ts": "export const execute = () => 1" })).toBe(1);
  });

  test("takes the named entry, the usual names, or asks for one", async () => {
    const two = files({ "a.ts": "export const execute = () => 1", "b.ts": "export const execute = () => 2" });
    expect((await runInGuest(await bundler.bundle({ files: two, entry: "b.ts" }))).value).toBe(2);
    expect((await refusal({ files: two })).message).toMatch(/several files need an entry/);
    expect((await refusal({ files: two, entry: "c.ts" })).message).toBe(
      'script: the entry "c.ts" is not among the files',
    );
  });

  test("names the files there are when one is missing", async () => {
    const error = await refusal(main(`import "./nope"; export const execute = () => 1`));
    expect(error.message).toBe('main.ts:1:8: "./nope" is not among the uploaded files (main.ts)');
  });
});

describe("a refusal", () => {
  test.each([
    ["export const a = 1", 0],
    ["export default function () {}\nexport function execute() {}", 2],
    ["export function execute() {}\nexport function execute() {}", 2],
    ["export const execute = 1, x = 2;\nexport default () => 1", 2],
  ])("asks for exactly one execute: %s", async (text, count) => {
    const error = await refusal(main(text));
    expect(error.message).toBe(`script: exactly one exported execute(ctx) is required, found ${count}`);
  });

  test("points at a syntax error in the author's own text", async () => {
    const error = await refusal(main("export function execute() {\n  return 'é' + ;\n}"));
    expect(error.message).toBe('main.ts:2:16: Unexpected ";"');
    expect(firstProblem(error)).toEqual({
      file: "main.ts",
      line: 2,
      column: 15,
      lineText: "  return 'é' + ;",
      text: 'Unexpected ";"',
    });
  });

  test("lists every problem, each once", async () => {
    const error = await refusal(main(`import "node:fs";\nimport "left-pad";\nexport const execute = () => 1`));
    expect(error.message.split("\n")).toEqual([
      'main.ts:1:8: Node built-in "node:fs" is not available in workflows; use ctx.http or accessories instead',
      'main.ts:2:8: package "left-pad" is not provided; available: zod, lodash-es, date-fns, openai',
    ]);
  });

  test.each(["fs", "fs/promises", "node:child_process", "http", "node:constructor"])(
    "names what to use instead of %s",
    async (name) => {
      expect((await refusal(main(`import x from "${name}"; export const execute = () => x`))).message).toMatch(
        /^main\.ts:1:15: Node built-in ".*" is not available in workflows; use \S.* instead$/,
      );
    },
  );

  test("explains top-level await", async () => {
    const error = await refusal(main("const x = await 1;\nexport const execute = () => x"));
    expect(error.message).toBe("main.ts:1:11: top-level await is not available; await inside execute(ctx)");
  });

  test.each([
    [
      "source",
      { files: [{ path: "main.ts", text: " ".repeat(1_048_577) }] },
      /1048576 bytes \(maxScriptBytes\); it has 1048577/,
    ],
    [
      "number of files",
      { files: files(Object.fromEntries(Array.from({ length: 601 }, (_, i) => [`f${i}.ts`, ""]))) },
      /600 files; this one has 601/,
    ],
    ["no file", { files: [] }, /at least one file/],
    ["path length", { files: [{ path: `${"a".repeat(198)}.ts`, text: "" }] }, /200 characters; one has 201/],
    ["climbing path", { files: [{ path: "../x.ts", text: "" }] }, /not a relative path/],
    ["absolute path", { files: [{ path: "/x.ts", text: "" }] }, /not a relative path/],
    ["hidden path", { files: [{ path: ".x.ts", text: "" }] }, /not a relative path/],
    ["backslash", { files: [{ path: "a\\b.ts", text: "" }] }, /not a relative path/],
    ["JSON entry", { files: [{ path: "x.json", text: "{}" }] }, /the entry "x.json" is JSON/],
    ["kind of file", { files: [{ path: "x.wasm", text: "" }] }, /files must end in \.ts, /],
    ["inherited kind", { files: [{ path: "x.constructor", text: "" }] }, /files must end in \.ts, /],
    [
      "same path twice",
      {
        files: [
          { path: "a.ts", text: "" },
          { path: "a.ts", text: "" },
        ],
      },
      /appears twice/,
    ],
  ])("names the limit and the value: %s", async (_, upload, message) => {
    expect((await refusal(upload)).message).toMatch(message);
  });

  test("names the size of a bundle that is too large", async () => {
    const small = createBundler({ limits: { ...DEFAULT_LIMITS, maxBundleBytes: 300 } });
    await expect(small.bundle(main("export const execute = () => 1"))).rejects.toThrow(
      /300 bytes \(maxBundleBytes\); it has \d+/,
    );
    await small.close();
  });
});

describe("the bundler", () => {
  const ok = "export const execute = () => 1;//";

  test.each([
    ["crashes esbuild", `x=${"!".repeat(1_000_000)}1`],
    ["hangs esbuild", `x=a<${"a<".repeat(400_000)}`],
  ])("loses only the upload that %s", async (_, hostile) => {
    const own = createBundler({ timeoutMs: 5_000 });
    await own.bundle(main(ok));
    const results = await Promise.allSettled([
      own.bundle(main(`${ok}1`)),
      own.bundle(main(hostile)),
      own.bundle(main(`${ok}2`)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(String((results[1] as PromiseRejectedResult).reason)).toMatch(/nested too deeply or far too complex/);
    await expect(own.bundle(main(ok))).resolves.toBeDefined();
    await own.close();
  });

  test("refuses nesting that the parser cannot follow", async () => {
    const deep = `export const execute = () => ${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    expect((await refusal(main(deep))).message).toMatch(/^main\.ts:1:\d+: the source is nested too deeply here$/);
  });

  test("fails what is under way when closed, and leaves no directory behind", async () => {
    const home = mkdtempSync(join(tmpdir(), "weft-test-"));
    vi.stubEnv("TMPDIR", home);
    const own = createBundler();
    const pending = own.bundle(main(ok));
    const rejected = expect(pending).rejects.toMatchObject({ code: "STOPPING" });
    await own.close();
    await rejected;
    await expect(own.bundle(main(ok))).rejects.toMatchObject({ code: "STOPPING" });
    vi.unstubAllEnvs();
    expect(readdirSync(home)).toEqual([]);
    rmdirSync(home);
  });
});
