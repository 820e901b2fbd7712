import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";
import { rejectionOf } from "../support/thrown.ts";

let core: TestCore;
const bytes = (text: string) => new TextEncoder().encode(text);

beforeAll(async () => {
  core = await startTestCore({ WEFT_LIMIT_MAX_ACCESSORIES: "2", WEFT_LIMIT_MAX_ACCESSORY_BYTES: "1000" });
});

afterAll(async () => {
  await core.close();
  expect(core.reported).toEqual([]);
});

const script = (value: unknown) => `export async function execute() { return ${JSON.stringify(value)} }`;
const key = (ref: string) => ({ accountId: core.accountId, key: ref });

describe("an upload", () => {
  test("makes versions, the first being 1.0.0, and activates them", async () => {
    const first = await core.deploy("a", script(1), { bump: "patch", notes: "first" });
    expect(first).toMatchObject({ created: true, version: { number: "1.0.0", notes: "first", isolation: "frozen" } });
    const second = await core.deploy("a", script(2));
    expect(second.version.number).toBe("1.1.0");
    expect(second.workflow.activeVersionId).toBe(second.version.id);
    expect(second.workflow.number).toBe(first.workflow.number);
    expect((await core.workflows.versions(key("a"))).map((version) => version.number)).toEqual(["1.1.0", "1.0.0"]);
  });

  test("of the same bundle makes no version, and activates the one that is there", async () => {
    const first = await core.deploy("same", script(1), { publish: false });
    expect(first.workflow.activeVersionId).toBeNull();
    expect(await rejectionOf(core.invoke("same"))).toMatchObject({ code: "VERSION_NOT_FOUND" });
    const again = await core.deploy("same", `// a comment\n${script(1)}`);
    expect(again).toMatchObject({ created: false, version: { id: first.version.id } });
    expect(again.workflow.activeVersionId).toBe(first.version.id);
  });

  test("that differs in comments and layout only replaces the sources, so that errors name the right line", async () => {
    const text = 'export async function execute() { throw new Error("no") }';
    const first = await core.deploy("moved", text);
    expect(await core.run("moved")).toMatchObject({ error: { details: { line: 1 } } });
    const upload = { files: [{ path: "moved.ts", text: `\n// one\n\n${text}` }] };
    const again = await core.deploy("moved", "", { upload });
    expect(again).toMatchObject({ created: false, version: { id: first.version.id, number: "1.0.0" } });
    expect(await core.workflows.sources({ ...key("moved"), number: null })).toEqual(upload);
    expect(await core.run("moved")).toMatchObject({ error: { details: { file: "moved.ts", line: 4 } } });
  });

  test("sets what it names and keeps the rest", async () => {
    await core.deploy("set", script(1), { settings: { name: "Set", timeoutMs: 5000, env: { REGION: "eu" } } });
    const { workflow } = await core.deploy("set", script(2), { settings: { description: "d" } });
    expect(workflow).toMatchObject({ name: "Set", description: "d", timeoutMs: 5000, env: { REGION: "eu" } });
  });

  test("at the same time as others of the same workflow gives each a number of its own", async () => {
    const all = await Promise.all([1, 2, 3, 4].map((value) => core.deploy("race", script(value))));
    expect(all.map(({ version }) => version.number).toSorted()).toEqual(["1.0.0", "1.1.0", "1.2.0", "1.3.0"]);
  });

  test("can be rolled back", async () => {
    await core.deploy("back", script("one"));
    await core.deploy("back", script("two"));
    await core.workflows.activate({ ...key("back"), number: "1.0.0" });
    expect(await core.run("back")).toMatchObject({ content: "one" });
    expect((await rejectionOf(core.workflows.activate({ ...key("back"), number: "3.0.0" }))).code).toBe(
      "VERSION_NOT_FOUND",
    );
  });

  test("keeps its sources", async () => {
    const upload = {
      files: [
        { path: "main.ts", text: 'import { two } from "./two.ts";\nexport const execute = async () => two;' },
        { path: "two.ts", text: "export const two: number = 2;" },
      ],
      entry: "main.ts",
    };
    await core.deploy("sources", "", { upload });
    expect(await core.workflows.sources({ ...key("sources"), number: null })).toEqual(upload);
    expect(await core.run("sources")).toMatchObject({ output: "2" });
  });

  test.each([
    ["bad ref!", script(1), {}, "INVALID_REQUEST", "ref: must be"],
    ["x", script(1), { settings: { timeoutMs: 0 } }, "INVALID_REQUEST", "timeout: must be from 1"],
    ["x", "export const a = 1;", {}, "BUNDLE_FAILED", "exactly one exported execute(ctx) is required, found 0"],
    ["x", "export async function execute( {", {}, "BUNDLE_FAILED", "x.ts:1:"],
    [
      "x",
      `export const config = { timeot: 3 };\n${script(1)}`,
      {},
      "BUNDLE_FAILED",
      "config.timeot: there is no such setting",
    ],
    [
      "x",
      `export const inputSchema = { type: "objekt" };\n${script(1)}`,
      {},
      "INVALID_WORKFLOW_SCHEMA",
      "inputSchema: ",
    ],
    ["x", `throw new Error("at the top");\n${script(1)}`, {}, "BUNDLE_FAILED", "at the top"],
  ])("%s %s %o is refused and leaves nothing behind", async (...row) => {
    const [ref, text, more, code, message] = row;
    const error = await rejectionOf(core.deploy(ref, text, more));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect((await rejectionOf(core.workflows.find(key("x")))).code).toBe("WORKFLOW_NOT_FOUND");
  });

  test("that throws while it loads is refused with file and line", async () => {
    const error = await rejectionOf(core.deploy("top", `\n\nthrow new Error("at the top");\n${script(1)}`));
    expect(error.details["problems"]).toMatchObject([{ file: "top.ts", line: 3 }]);
  });
});

describe("accessories", () => {
  const accessory = (name: string, text: string) => ({ key: name, filename: `${name}.json`, bytes: bytes(text) });
  const reader =
    "export async function execute(ctx) { return [ctx.accessories.keys(), await ctx.load_accessory('codes')] }";

  test("are read by scripts, stay with later versions, and are replaced by key", async () => {
    await core.deploy("acc", reader, { accessories: [accessory("codes", '{"a":1}')] });
    expect(await core.run("acc")).toMatchObject({ output: '[["codes"],{"a":1}]' });
    const second = await core.deploy("acc", `${reader}\n// again\nexport const outputSchema = { type: "array" };`);
    expect(second).toMatchObject({ created: true });
    expect(Object.keys(second.version.accessories)).toEqual(["codes"]);
    const third = await core.deploy("acc", reader, { accessories: [accessory("codes", '{"a":2}')] });
    expect(third.created).toBe(true);
    expect(await core.run("acc")).toMatchObject({ output: '[["codes"],{"a":2}]' });
    expect(await core.run("acc", { version: "1.0.0" })).toMatchObject({ output: '[["codes"],{"a":1}]' });
  });

  test.each([
    [[accessory("a b", "{}")], "accessory key: must be 1 to 64 letters"],
    [[accessory("a", "x".repeat(1001))], "accessory a: 1001 bytes, over 1000 (maxAccessoryBytes)"],
    [[accessory("a", "{}"), accessory("a", "[]")], "accessory a: it is uploaded twice"],
    [
      [accessory("a", "{}"), accessory("b", "{}"), accessory("c", "{}")],
      "accessories: 3 files, over 2 (maxAccessories)",
    ],
  ])("that break a rule are refused: %#", async (accessories, message) => {
    expect((await rejectionOf(core.deploy("acc2", script(1), { accessories }))).message).toContain(message);
  });
});

describe("validate", () => {
  test("finds nothing in a good script and stores nothing", async () => {
    const upload = { files: [{ path: "good.ts", text: script(1) }] };
    expect(await core.workflows.validate(upload, core.accountId)).toEqual([]);
    expect(
      (await core.workflows.list({ accountId: core.accountId, limit: 100, offset: 0 })).items.map((w) => w.ref),
    ).not.toContain("good");
  });

  test("lists problems with their places", async () => {
    const upload = {
      files: [{ path: "bad.ts", text: 'import fs from "node:fs";\nexport async function execute() { return fs }' }],
    };
    expect(await core.workflows.validate(upload, core.accountId)).toMatchObject([{ file: "bad.ts", line: 1 }]);
  });
});

test("a removed workflow is gone, and so are calls of it that run", async () => {
  await core.deploy("gone", "export async function execute(ctx) { await ctx.sleep(300); return 1 }");
  const invocation = await core.invoke("gone");
  await core.workflows.remove(key("gone"));
  expect((await rejectionOf(core.invoke("gone"))).code).toBe("WORKFLOW_NOT_FOUND");
  expect(await invocation.result).toMatchObject({ status: "cancelled" });
});

test("calls that wait in the store end when their workflow is removed", async () => {
  await core.deploy("naps", "export async function execute(ctx) { await ctx.sleep(60000); return 1 }");
  const waiting = await core.invoke("naps");
  const { accountId, engine } = core;
  const { executionId } = waiting;
  await expect.poll(async () => (await engine.findExecution({ accountId, executionId })).state.status).toBe("waiting");
  await core.workflows.remove(key("naps"));
  expect(await waiting.result).toMatchObject({ status: "cancelled", error: { message: "The execution was deleted." } });
  expect((await rejectionOf(engine.cancel({ accountId, executionId }))).code).toBe("EXECUTION_NOT_FOUND");
});
