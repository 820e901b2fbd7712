import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openContents } from "../../../src/store/disk/contents.ts";
import { createPieces } from "../../../src/store/disk/pieces.ts";
import type { ContentStore } from "../../../src/store/ports/contents.ts";
import { type DataDir, makeDataDir } from "../../support/data-dir.ts";
import { rejectionOf } from "../../support/thrown.ts";

let dir: DataDir;
let contents: ContentStore;
beforeEach(async () => {
  dir = await makeDataDir();
  contents = await openContents({ directory: dir.path, durability: "full" });
});
afterEach(() => dir.remove());

const LIMIT = { maxBytes: 100, limit: "maxFileBytes" };
const bytes = (content: string) => new TextEncoder().encode(content);
const incoming = () => readdirSync(join(dir.path, "incoming"));

async function* source(...pieces: readonly (string | Error)[]): AsyncIterable<Uint8Array> {
  for (const piece of pieces) {
    if (piece instanceof Error) throw piece;
    yield bytes(piece);
  }
}

async function put(content: string): Promise<string> {
  const received = await contents.receive(source(content), LIMIT);
  await contents.keep(received);
  return received.hash;
}

async function read(hash: string, range?: { readonly start: number; readonly end: number }): Promise<string | null> {
  const stream = await contents.open(hash, range);
  return stream === null ? null : text(stream);
}

test("a content is hashed while it is received and there once it is kept", async () => {
  const received = await contents.receive(source("hello ", "wörld"), LIMIT);
  const hash = createHash("sha256").update("hello wörld").digest("hex");
  expect(received).toMatchObject({ hash, bytes: 12 });
  expect(await read(hash)).toBeNull();
  await contents.keep(received);
  expect(await read(hash)).toBe("hello wörld");
  expect(incoming()).toEqual([]);
});

test("the same content is there once, however often it is kept", async () => {
  expect(await put("same")).toBe(await put("same"));
  expect(await read(await put("same"))).toBe("same");
});

test("parts are read by their offsets", async () => {
  const hash = await put("0123456789");
  expect(await read(hash, { start: 2, end: 4 })).toBe("234");
  const part = async (start: number, length: number) =>
    Buffer.from((await contents.read(hash, start, length)) ?? []).toString();
  expect(await Promise.all([part(0, 3), part(8, 99), part(10, 1), part(99, 1)])).toEqual(["012", "89", "", ""]);
  expect(await contents.read("0".repeat(64), 0, 1)).toBeNull();
});

test("what is too large or breaks off leaves nothing behind", async () => {
  const error = await rejectionOf(contents.receive(source("x".repeat(60), "x".repeat(60)), LIMIT));
  expect(error).toMatchObject({ code: "PAYLOAD_TOO_LARGE", details: { limit: "maxFileBytes", value: 120 } });
  await expect(contents.receive(source("x", new Error("gone")), LIMIT)).rejects.toThrow("gone");
  const received = await contents.receive(source("x"), LIMIT);
  await contents.discard(received);
  expect(incoming()).toEqual([]);
});

test("whoever reads a content that is removed may finish", async () => {
  const hash = await put("still here");
  const stream = await contents.open(hash);
  await contents.remove(hash);
  expect(stream === null ? null : await text(stream)).toBe("still here");
  expect(await read(hash)).toBeNull();
  await contents.remove(hash);
});

test("what an earlier process received and did not keep is cleared, contents stay", async () => {
  const hash = await put("kept");
  await contents.receive(source("left"), LIMIT);
  expect(incoming()).toHaveLength(1);
  const again = await openContents({ directory: dir.path, durability: "relaxed" });
  await again.clearReceived();
  expect(incoming()).toEqual([]);
  expect(await read(hash)).toBe("kept");
});

test("a text that is no hash is no path", async () => {
  await expect(contents.open("../../etc/passwd")).rejects.toThrow("not the hash");
  expect(() => contents.remove("..")).toThrow("not the hash");
});

test("pieces are kept for each execution, replaced by a repeat, removed one by one, and gone with the process", async () => {
  const pieces = createPieces(join(dir.path, "pieces"));
  const [one, two] = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
  const read = async (executionId: string, positions: readonly number[]) => {
    const all: Uint8Array[] = [];
    for await (const piece of pieces.read(executionId, positions)) all.push(piece);
    return Buffer.concat(all).toString();
  };
  const there = () => readdirSync(join(dir.path, "pieces"));
  await pieces.put(one, 3, bytes("thrown away"));
  await pieces.put(one, 3, bytes("abc"));
  await pieces.put(one, 12, bytes("defg"));
  await pieces.put(two, 3, bytes("other"));
  expect(await read(one, [3, 12, 3])).toBe("abcdefgabc");
  await pieces.remove(one, [3, 99]);
  await expect(read(one, [12, 3])).rejects.toThrow("ENOENT");
  await pieces.removeAll(one);
  expect(there()).toEqual([two]);
  await pieces.clear();
  expect(() => there()).toThrow("ENOENT");
  await expect(pieces.put("../x", 0, bytes("x"))).rejects.toThrow("not the id");
});
