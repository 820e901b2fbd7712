import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { RunPieces } from "../../../src/engine/files/run-pieces.ts";
import { UnderWay } from "../../../src/engine/files/under-way.ts";
import { createPieces } from "../../../src/store/disk/pieces.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { until } from "../../support/until.ts";
import { outputOf, scriptOf } from "../waiting.ts";

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore({ WEFT_LIMIT_MAX_ARG_BYTES: "200000" });
});
afterAll(async () => {
  expect(core.reported).toEqual([]);
  await core.close();
});

const piecesOf = (executionId: string) => {
  const folder = join(core.dataDir, "files", "pieces", executionId);
  return existsSync(folder) ? readdirSync(folder) : [];
};
const outputs = (executionId: string) => core.files.outputs({ accountId: core.accountId, executionId });

const TWO = `
  const ids = [];
  for (const letter of ["a", "b"]) ids.push((await ctx.files.write(letter, letter.repeat(500000))).id);
  return ids;`;

describe("a replay brings the pieces of a file again", () => {
  test("in a fork that begins between them and the file", async () => {
    await core.deploy("two", scriptOf(TWO));
    const { executionId, result } = await core.invoke("two");
    await result;
    const { accountId } = core;
    const records = await core.store.readReplay({ executionId });
    const last = records.findLast(({ op }) => op === "files.write")?.pos ?? 0;
    const asked = { at: last, version: null, set: {}, secrets: {}, idempotencyKey: null };
    const forkId = await core.engine.fork({ accountId, executionId, ...asked });
    const look = () => core.engine.findExecution({ accountId, executionId: forkId });
    const { state } = await until(look, (found) => "finishedAt" in found.state);
    expect(state).toMatchObject({ status: "completed" });
    const [written, ...more] = await outputs(forkId);
    expect(more).toEqual([]);
    expect(written === undefined ? "" : await text(await core.files.open(written))).toBe("b".repeat(500_000));
    await until(
      () => piecesOf(forkId),
      (names) => names.length === 0,
    );
  });
});

test("pieces go with the attempt that brought them, also when it fails before the file is written", async () => {
  await core.deploy(
    "fails",
    scriptOf(`ctx.files.write("x", "x".repeat(2000000)); await ctx.sleep(100); throw new Error("no");`),
  );
  const invocation = await core.invoke("fails");
  expect(await outputOf(invocation)).toMatchObject({ message: expect.stringContaining("no") });
  await until(
    () => piecesOf(invocation.executionId),
    (names) => names.length === 0,
  );
});

describe("pieces that are not written yet", () => {
  const one = { accountId: "a", executionId: "00000000-0000-4000-8000-000000000001" };
  const two = { accountId: "a", executionId: "00000000-0000-4000-8000-000000000002" };
  const LIMITS = { ...DEFAULT_LIMITS, maxFileBytes: 5_000, maxAccountFileBytes: 30_000 };
  const make = (underWay: UnderWay) => {
    const store = { fileTotals: async () => ({ files: 1, bytes: 1_000 }) };
    const pieces = createPieces(join(core.dataDir, "test-pieces"));
    return new RunPieces({ store, pieces, underWay, limits: LIMITS });
  };

  test("are bounded for each execution, the smallest counting as what they take on the disk", async () => {
    const kept = make(new UnderWay());
    for (const pos of [0, 1, 2, 3, 3, 3]) await kept.put(one, pos, new Uint8Array(1));
    const over = { code: "LIMIT_EXCEEDED", details: { limit: "maxFileBytes", value: 20_480 } };
    await expect(kept.put(one, 4, new Uint8Array(1))).rejects.toMatchObject(over);
    expect(kept.bytesOf(one.executionId, [0, 3, 3])).toBe(3);
    expect(() => kept.bytesOf(one.executionId, [0, 4])).toThrow("the piece of call 4 is missing");
    await kept.remove(one.executionId, [0, 0, 9]);
    await kept.put(one, 4, new Uint8Array(2));
    await kept.leave(one.executionId);
  });

  test("are bounded for each account, along with its files and its uploads under way", async () => {
    const underWay = new UnderWay();
    const kept = make(underWay);
    expect(underWay.take("a", 10_000, 30_000)).toBe(true);
    await kept.put(one, 0, new Uint8Array(15_000));
    const over = { code: "LIMIT_EXCEEDED", details: { limit: "maxAccountFileBytes", value: 30_000 } };
    await expect(kept.put(two, 0, new Uint8Array(5_000))).rejects.toMatchObject(over);
    await kept.put({ ...two, accountId: "b" }, 0, new Uint8Array(5_000));
    await kept.leave(one.executionId);
    expect(underWay.take("a", 19_000, 29_000)).toBe(true);
  });
});

test("a result that says what failed is not kept for the next call", async () => {
  const facts = { name: "x", contentType: null, scopeType: null, scopeId: null };
  const { file, upload } = await core.files.awaitUpload(core.accountId, { facts, bytes: 3, expiresIn: 60 });
  await core.deploy("tries", scriptOf(`return ctx.files.read(ctx.input).catch((error) => error.code);`));
  const call = async () => outputOf(await core.invoke("tries", { input: file.id }));
  expect(await call()).toBe("INVALID_ARGUMENT");
  const { searchParams } = new URL(upload.url, "http://x");
  const proof = { expires: searchParams.get("expires") ?? "", sig: searchParams.get("sig") ?? "" };
  await core.files.uploadByLink(file.id, proof, {
    declared: null,
    source: (async function* () {
      yield new TextEncoder().encode("abc");
    })(),
  });
  expect(await call()).toBe("abc");
});

describe("a link to upload", () => {
  async function announce(expiresIn: number) {
    const facts = { name: "x", contentType: null, scopeType: null, scopeId: null };
    const { file, upload } = await core.files.awaitUpload(core.accountId, { facts, bytes: 2, expiresIn });
    const { searchParams } = new URL(upload.url, "http://x");
    return {
      id: file.id,
      until: file.until ?? 0,
      proof: { expires: searchParams.get("expires") ?? "", sig: searchParams.get("sig") ?? "" },
    };
  }
  const slow = (rest: Promise<void>) => ({
    declared: null,
    source: (async function* () {
      yield new Uint8Array(1);
      await rest;
      yield new Uint8Array(1);
    })(),
  });

  test("takes one content at a time: more would fill the disk beyond what was announced", async () => {
    const { id, proof } = await announce(60);
    const rest = Promise.withResolvers<void>();
    const first = core.files.uploadByLink(id, proof, slow(rest.promise));
    const second = until(
      async () => core.files.uploadByLink(id, proof, slow(rest.promise)).catch(({ code }) => code),
      (code) => code === "CONFLICT",
    );
    expect(await second).toBe("CONFLICT");
    rest.resolve();
    expect(await first).toMatchObject({ id, bytes: 2 });
    await expect(core.files.uploadByLink(id, proof, slow(rest.promise))).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  test("that works when the upload begins is not too late at its end", async () => {
    const { id, proof, until: end } = await announce(1);
    const rest = Promise.withResolvers<void>();
    const upload = core.files.uploadByLink(id, proof, slow(rest.promise));
    await until(() => Date.now() > end);
    rest.resolve();
    expect(await upload).toMatchObject({ id, until: null });
    expect(await core.files.find({ accountId: core.accountId, id })).toMatchObject({ until: null });
  });
});
