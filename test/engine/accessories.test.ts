import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UploadedAccessory } from "../../src/engine/workflows.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { rejectionOf } from "../support/thrown.ts";
import { until } from "../support/until.ts";
import { scriptOf } from "./waiting.ts";

const MAX_BYTES = 3_000_000;

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore({
    WEFT_LIMIT_MAX_ACCESSORY_BYTES: String(MAX_BYTES),
    WEFT_LIMIT_MAX_ACCESSORIES: "4",
  });
});
afterAll(async () => {
  expect(core.reported).toEqual([]);
  await core.close();
});

const accessory = (key: string, content: string | Uint8Array): UploadedAccessory => ({
  key,
  filename: `${key}.txt`,
  bytes: Buffer.from(content),
});
const large = (letter: string, bytes = 700_000) => letter.repeat(bytes);
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Names of all files that hold contents. */
function stored(): readonly string[] {
  const all = readdirSync(join(core.dataDir, "files"), { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function outputOf(ref: string, version: string | null = null): Promise<unknown> {
  const result = await core.run(ref, { version });
  return result.status === "completed" ? JSON.parse(result.output) : result.error;
}

const KEYS = scriptOf("return ctx.accessories.keys();");

describe("large accessories", () => {
  test("are beside the database, and read as text, bytes and JSON, whole at the borders of pieces", async () => {
    const text = `${large("a", 1_048_575)}€😀${large("z")}`;
    const json = JSON.stringify(Array.from({ length: 60_000 }, (_, n) => ({ n, name: "ü" })));
    const bytes = Buffer.from(Array.from({ length: 2_500_000 }, (_, n) => n % 251));
    await core.deploy(
      "reads",
      scriptOf(`
        const text = await ctx.accessories.text("text");
        const bytes = await ctx.accessories.bytes("bytes");
        const json = await ctx.load_accessory("json", "/ignored/path.json");
        let sum = 0;
        for (let at = 0; at < bytes.length; at += 1000) sum += bytes[at];
        return [text.length, text.slice(1048574, 1048580), bytes.length, sum, json.length, json[59999]];`),
      { accessories: [accessory("text", text), accessory("bytes", bytes), accessory("json", json)] },
    );
    let sum = 0;
    for (let at = 0; at < bytes.length; at += 1_000) sum += bytes[at] ?? 0;
    const shown = text.slice(1_048_574, 1_048_580);
    expect(await outputOf("reads")).toEqual([text.length, shown, 2_500_000, sum, 60_000, { n: 59_999, name: "ü" }]);
    expect(stored()).toEqual(expect.arrayContaining([sha256(text), sha256(json)]));
  });

  test("stay with the versions that have them, and go with the last of these", async () => {
    const [one, two] = [large("1"), large("2")];
    const size = scriptOf(`return (await ctx.accessories.text("data"))[0];`);
    await core.deploy("first", size, { accessories: [accessory("data", one), accessory("again", one)] });
    await core.deploy("second", size, { accessories: [accessory("data", one)] });
    const replaced = await core.deploy("first", size, { accessories: [accessory("data", two)] });
    expect(replaced).toMatchObject({ created: true, version: { number: "1.1.0" } });
    expect([await outputOf("first"), await outputOf("first", "1.0.0"), await outputOf("second")]).toEqual([
      "2",
      "1",
      "1",
    ]);
    await core.workflows.remove({ accountId: core.accountId, key: "first" });
    await core.files.remove({ accountId: core.accountId, id: "nothing" }).catch(() => undefined);
    expect(await outputOf("second")).toBe("1");
    await core.workflows.remove({ accountId: core.accountId, key: "second" });
    const facts = () => ({ name: "x", contentType: null, scopeType: null, scopeId: null });
    async function* source() {
      yield Buffer.from("to be removed");
    }
    // Removing a file wakes the collector.
    const file = await core.files.upload(core.accountId, { source: source(), declared: null, facts });
    await core.files.remove({ accountId: core.accountId, id: file.id });
    await until(() => !stored().some((name) => name === sha256(one) || name === sha256(two)));
  });

  test("are not stored again when nothing changed, nor when the script cannot be used", async () => {
    const content = large("x");
    const accessories = [accessory("data", content)];
    await core.deploy("same", KEYS, { accessories });
    expect(await core.deploy("same", KEYS, { accessories })).toMatchObject({ created: false });
    const before = stored().length;
    await rejectionOf(
      core.deploy("same", "export const nothing = 1;", { accessories: [accessory("other", large("y"))] }),
    );
    expect(stored().length).toBe(before);
  });
});

describe("limits", () => {
  test("hold exactly: the last byte and the last file are fine, one more is not", async () => {
    const most = large("m", MAX_BYTES);
    await core.deploy("most", KEYS, { accessories: ["a", "b", "c", "d"].map((key) => accessory(key, most)) });
    expect(await outputOf("most")).toEqual(["a", "b", "c", "d"]);
    const over = await rejectionOf(core.deploy("most", KEYS, { accessories: [accessory("a", `${most}1`)] }));
    expect(over).toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      message: `accessory a: ${MAX_BYTES + 1} bytes, over ${MAX_BYTES} (maxAccessoryBytes)`,
    });
    const fifth = await rejectionOf(core.deploy("most", KEYS, { accessories: [accessory("e", "1")] }));
    expect(fifth).toMatchObject({ details: { limit: "maxAccessories", value: 5 } });
    const swapped = { accessories: [accessory("e", "1")], withoutAccessories: ["a"] };
    await core.deploy("most", KEYS, swapped);
    expect(await outputOf("most")).toEqual(["b", "c", "d", "e"]);
  });
});

describe("taking one away", () => {
  test("makes a version without it; the others stay, and a key that is not there is fine", async () => {
    await core.deploy("less", KEYS, { accessories: [accessory("a", "1"), accessory("b", "2")] });
    expect(await core.deploy("less", KEYS, { withoutAccessories: ["a", "nothing"] })).toMatchObject({ created: true });
    expect([await outputOf("less"), await outputOf("less", "1.0.0")]).toEqual([["b"], ["a", "b"]]);
    expect(await core.deploy("less", KEYS, { withoutAccessories: ["a"] })).toMatchObject({ created: false });
  });

  test("and bringing it at once is refused", async () => {
    const both = { accessories: [accessory("a", "1")], withoutAccessories: ["a"] };
    const error = await rejectionOf(core.deploy("both", KEYS, both));
    expect(error).toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining("both uploaded and taken"),
    });
  });
});

test("keys that objects are born with are keys like any other; those that are no keys are refused", async () => {
  const keys = ["constructor", "toString", "hasOwnProperty"];
  await core.deploy(
    "born",
    scriptOf(`
      const { accessories } = ctx;
      const missing = await accessories.text("valueOf").catch((error) => error.message);
      return [accessories.keys(), accessories.has("valueOf"), accessories.has("__proto__"), await accessories.text("constructor"), missing];`),
    { accessories: keys.map((key) => accessory(key, `of ${key}`)) },
  );
  expect(await outputOf("born")).toEqual([
    keys,
    false,
    false,
    "of constructor",
    expect.stringContaining('this version has no "valueOf"; it has constructor, toString, hasOwnProperty'),
  ]);
  for (const key of ["__proto__", "", "../x", "a b", "é", "x".repeat(65)])
    expect((await rejectionOf(core.deploy("bad", KEYS, { accessories: [accessory(key, "1")] }))).message).toContain(
      "accessory key: must be 1 to 64",
    );
});

test("a large accessory is not copied into the journal, and a run that goes on reads it again", async () => {
  await core.deploy(
    "goes-on",
    scriptOf(`
      const text = await ctx.accessories.text("data");
      const bytes = await ctx.accessories.bytes("data");
      const small = await ctx.accessories.text("small");
      const { data } = await ctx.waitFor("go");
      return [text.length, text[1500000], bytes.length, small, data];`),
    { accessories: [accessory("data", `${large("a", 1_500_000)}${large("b", 1_000)}`), accessory("small", "tiny")] },
  );
  const { executionId } = await core.invoke("goes-on", { mode: "background" });
  const { accountId } = core;
  const stateOf = async () => (await core.engine.findExecution({ accountId, executionId })).state;
  await until(async () => (await stateOf()).status === "waiting");
  const records = await core.store.readJournal({ executionId });
  expect(records.reduce((sum, { payload }) => sum + payload.length, 0)).toBeLessThan(2_000);
  await core.waiting.send({ accountId, name: "go", data: 7, id: null, ttlMs: null, executionId });
  await until(async () => (await stateOf()).status === "completed");
  const state = await stateOf();
  const expected = [1_501_000, "b", 1_501_000, "tiny", 7];
  expect(state.status === "completed" ? JSON.parse(state.output ?? "") : state).toEqual(expected);
  const key = "goes-on";
  const { files } = await core.workflows.sources({ accountId, key, number: null });
  const verdicts: unknown[] = [];
  for await (const { verdict } of core.replays.check({ accountId, key, upload: { files }, last: 1 }))
    verdicts.push(verdict);
  expect(verdicts).toEqual([{ verdict: "identical" }]);
});
