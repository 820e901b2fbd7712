import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toFileId } from "../../../src/engine/files/file-id.ts";
import type { StoredFile } from "../../../src/engine/files/file-service.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { until } from "../../support/until.ts";
import { scriptOf } from "../waiting.ts";

let core: TestCore;
let count = 0;
beforeAll(async () => {
  core = await startTestCore({
    WEFT_LIMIT_MAX_FILE_BYTES: "3000000",
    WEFT_LIMIT_MAX_FILES: "3",
    WEFT_LIMIT_MAX_ARG_BYTES: "200000",
    WEFT_LIMIT_MAX_ACCOUNT_FILE_BYTES: "60000000",
  });
});
afterAll(() => core.close());

async function* once(content: Uint8Array): AsyncIterable<Uint8Array> {
  yield content;
}

function put(content: string | Uint8Array, accountId = core.accountId): Promise<StoredFile> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const facts = () => ({ name: "in.txt", contentType: "text/plain", scopeType: null, scopeId: null });
  return core.files.upload(accountId, { source: once(bytes), declared: null, facts });
}

/** Runs the body of a script; its output, or its error. */
async function run(body: string, input: unknown = {}): Promise<{ readonly id: string; readonly output: unknown }> {
  const ref = `script-${count++}`;
  await core.deploy(ref, scriptOf(body));
  const { executionId, result } = await core.invoke(ref, { input });
  const ended = await result;
  return { id: executionId, output: ended.status === "completed" ? JSON.parse(ended.output) : ended.error };
}

const outputsOf = (executionId: string) => core.files.outputs({ accountId: core.accountId, executionId });
const contentOf = async (file: StoredFile | undefined) =>
  file === undefined ? null : text(await core.files.open(file));

describe("ctx.files.read", () => {
  test("gives text, bytes and JSON of a file of the account, by either form of its id", async () => {
    const { id } = await put('{"a":"ü"}');
    const body = `const { a, b } = ctx.input;
      return [await ctx.files.read(a), await ctx.files.read(b, { as: "json" }), [...await ctx.files.read(a, { as: "bytes" })].length, await ctx.files.stat(b)];`;
    const { output } = await run(body, { a: id, b: toFileId(id) });
    const info = { id: toFileId(id), name: "in.txt", bytes: 10, content_type: "text/plain" };
    expect(output).toEqual(['{"a":"ü"}', { a: "ü" }, 10, info]);
  });

  test("takes parts of large files, whose characters stay whole at the borders of pieces", async () => {
    const content = `${"a".repeat(1024 * 1024 - 1)}${"€😀".repeat(100_000)}`;
    const bytes = Buffer.from(content);
    const { id } = await put(bytes);
    const { output } = await run(
      `const all = await ctx.files.read(ctx.input.id);
       const bytes = await ctx.files.read(ctx.input.id, { as: "bytes" });
       const part = await ctx.files.read(ctx.input.id, { as: "bytes", offset: 1048570, length: 12 });
       const end = await ctx.files.read(ctx.input.id, { as: "bytes", offset: 1748573 });
       const behind = await ctx.files.read(ctx.input.id, { as: "bytes", offset: 9999999, length: 5 });
       return [all.length, all.slice(1048570, 1048584), bytes.length, bytes[1048575], [...part], [...end], behind.length];`,
      { id },
    );
    const slice = (from: number, to?: number) => [...bytes.subarray(from, to)];
    const at = bytes[1_048_575];
    const shown = content.slice(1_048_570, 1_048_584);
    expect(output).toEqual([content.length, shown, bytes.length, at, slice(1_048_570, 1_048_582), slice(1_748_573), 0]);
  });

  test("finds no file of another account, none that is awaited, and says so of ids that are none", async () => {
    const { id } = await put("private", "another account");
    const facts = { name: "x", contentType: null, scopeType: null, scopeId: null };
    const awaited = await core.files.awaitUpload(core.accountId, { facts, bytes: 3, expiresIn: 60 });
    const { output } = await run(
      `const errors = [];
       for (const id of ctx.input) await ctx.files.read(id).catch((error) => errors.push([error.code, error.message]));
       return errors;`,
      [id, awaited.file.id, "__proto__", "../../weft.db", "", 7],
    );
    const none = (shown: string) => ["INVALID_ARGUMENT", expect.stringContaining(`there is no file ${shown}`)];
    expect(output).toEqual([
      none(`"${id}"`),
      ["INVALID_ARGUMENT", expect.stringContaining("was not uploaded yet")],
      none('"__proto__"'),
      none('"../../weft.db"'),
      none('""'),
      ["INVALID_ARGUMENT", expect.stringContaining("id must be a string, got 7")],
    ]);
  });

  test("says what is wrong with its options and with a file that is not JSON", async () => {
    const { id } = await put("no json");
    const { output } = await run(
      `const say = (promise) => promise.then(() => "no error", (error) => error.message);
       const { id } = ctx.input;
       return [await say(ctx.files.read(id, { as: "json" })), await say(ctx.files.read(id, { as: "xml" })),
         await say(ctx.files.read(id, { offset: 1 })), await say(ctx.files.read(id, { as: "bytes", offset: -1 }))];`,
      { id },
    );
    expect(output).toEqual([
      expect.stringContaining("not JSON"),
      expect.stringContaining('as must be "text", "bytes" or "json"'),
      expect.stringContaining("go with as"),
      expect.stringContaining("offset must be a whole number"),
    ]);
  });

  test("leaves a run pure: the same call is answered from the cache", async () => {
    const { id } = await put("cached");
    await core.deploy("reader", scriptOf("return ctx.files.read(ctx.input.id);"));
    const [first, second] = [
      await core.invoke("reader", { input: { id } }).then(async (one) => [one.cache, await one.result] as const),
      await core.invoke("reader", { input: { id } }).then(async (one) => [one.cache, await one.result] as const),
    ];
    expect([first[0], second[0]]).toEqual(["miss", "hit"]);
    expect(second[1]).toMatchObject({ content: "cached" });
  });
});

describe("ctx.files.write", () => {
  test("writes text, bytes and values, which belong to the run and are listed in it", async () => {
    const { id, output } = await run(
      `const one = await ctx.files.write("a.txt", "tëxt");
       const two = await ctx.files.write("b.bin", new Uint8Array([0, 255]), { contentType: "image/png" });
       const three = await ctx.files.write("c.json", { n: 1 });
       return [one, two, three, await ctx.files.list(), await ctx.files.read(two.id, { as: "bytes" }).then((bytes) => [...bytes])];`,
    );
    const files = await outputsOf(id);
    const infos = files.map((file) => ({
      id: toFileId(file.id),
      name: file.name,
      bytes: file.bytes,
      content_type: file.contentType,
    }));
    expect(output).toEqual([...infos, infos, [0, 255]]);
    expect(infos.map(({ name, bytes, content_type }) => [name, bytes, content_type])).toEqual([
      ["a.txt", 5, "text/plain; charset=utf-8"],
      ["b.bin", 2, "image/png"],
      ["c.json", 7, "application/json"],
    ]);
    expect(await contentOf(files[0])).toBe("tëxt");
    expect(await contentOf(files[2])).toBe('{"n":1}');
  });

  test("takes contents that are larger than the arguments of one call, and leaves no pieces behind", async () => {
    const { id, output } = await run(
      `const bytes = new Uint8Array(1500000);
       for (let at = 0; at < bytes.length; at += 7) bytes[at] = at % 251;
       const text = "\\u0000\\ud83d\\ude00€".repeat(150000);
       await ctx.files.write("bytes", bytes);
       await ctx.files.write("text", text);
       return [text.length];`,
    );
    expect(output).toEqual([600_000]);
    const [bytes, written] = await outputsOf(id);
    const expected = new Uint8Array(1_500_000);
    for (let at = 0; at < expected.length; at += 7) expected[at] = at % 251;
    expect(bytes === undefined ? null : (await buffer(await core.files.open(bytes))).equals(expected)).toBe(true);
    expect(await contentOf(written)).toBe("\u0000😀€".repeat(150_000));
    await until(() => !existsSync(join(core.dataDir, "files", "pieces", id)));
  });

  test("cleans names that mean to be something else", async () => {
    const names = [
      "../../x\r\nSet-Cookie: a",
      "C:\\dir\\y.txt",
      "..",
      "",
      "\u202Egpj.exe",
      "😀".repeat(10_000),
      "a/b/",
    ];
    const found: unknown[] = [];
    for (const name of names)
      found.push((await run("return (await ctx.files.write(ctx.input, '1')).name;", name)).output);
    const emoji = "😀".repeat(127);
    expect(found).toEqual(["xSet-Cookie: a", "y.txt", "file", "file", "gpj.exe", emoji, "file"]);
  });

  test("is limited in size and in number, and the script can catch it", async () => {
    const { output } = await run(
      `const say = (promise) => promise.then(() => "fine", (error) => [error.code, error.message]);
       const large = await say(ctx.files.write("large", "x".repeat(3000001)));
       for (const n of [1, 2, 3]) await ctx.files.write("n" + n, "1");
       return [large, await say(ctx.files.write("fourth", "1")), await say(ctx.files.write("none", undefined)), await say(ctx.files.write(7, "1"))];`,
    );
    expect(output).toEqual([
      ["LIMIT_EXCEEDED", "files.write: 3000001 bytes, over 3000000 (maxFileBytes)"],
      ["LIMIT_EXCEEDED", "files: 4 files written by this execution, over 3 (maxFiles)"],
      ["INVALID_ARGUMENT", expect.stringContaining("data must be text, bytes or a JSON value")],
      ["INVALID_ARGUMENT", expect.stringContaining("name must be a string")],
    ]);
  });

  test("makes a run impure, and its files go with it", async () => {
    await core.deploy(
      "writer",
      scriptOf(`return (await ctx.files.write("x", "${randomBytes(8).toString("hex")}")).id;`),
    );
    const first = await core.invoke("writer", { input: 1 });
    await first.result;
    const second = await core.invoke("writer", { input: 1 });
    await second.result;
    expect(second.cache).not.toBe("hit");
    const { executionId } = first;
    const [file] = await outputsOf(executionId);
    await core.engine.remove({ accountId: core.accountId, executionId });
    await expect(core.files.find({ accountId: core.accountId, id: file?.id ?? "" })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    // The other run has the same content.
    expect(await contentOf((await outputsOf(second.executionId))[0])).toHaveLength(16);
  });
});

test("an execution is replayed with what it read, also when the file is gone", async () => {
  const { id } = await put("once");
  await core.deploy("replayed", scriptOf("return ctx.files.read(ctx.input.id);"));
  const { executionId, result } = await core.invoke("replayed", { input: { id } });
  await result;
  await core.files.remove({ accountId: core.accountId, id });
  const check = core.replays.check({
    accountId: core.accountId,
    key: "replayed",
    upload: { files: [{ path: "replayed.ts", text: scriptOf("return ctx.files.read(ctx.input.id); // again") }] },
    last: 5,
  });
  const verdicts: unknown[] = [];
  for await (const { execution, verdict } of check) if (execution.id === executionId) verdicts.push(verdict);
  expect(verdicts).toMatchObject([{ verdict: "identical" }]);
});

test("nothing that tests did was a bug of ours", () => expect(core.reported).toEqual([]));
