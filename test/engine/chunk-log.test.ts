import { expect, test } from "vitest";
import type { Chunk } from "../../runtime/index.ts";
import { ChunkLog } from "../../src/engine/chunk-log.ts";

const chunk = (index: number, content = "1", text = false): Chunk => ({ index, type: '"p"', content, text });
const noStore = () => Promise.resolve([]);

test("listeners get all chunks in order, the early ones at once", () => {
  const log = new ChunkLog(noStore);
  log.add([chunk(0), chunk(1)]);
  const seen: number[] = [];
  log.subscribe((chunks) => seen.push(...chunks.map((c) => c.index)));
  log.add([chunk(2)]);
  expect(seen).toEqual([0, 1, 2]);
});

test("repeats of a resumed run are dropped", () => {
  const log = new ChunkLog(noStore);
  log.add([chunk(0), chunk(1)]);
  const seen: number[] = [];
  log.subscribe((chunks) => seen.push(...chunks.map((c) => c.index)));
  expect(log.add([chunk(0)])).toEqual([]);
  expect(log.add([chunk(1), chunk(2)])).toEqual([chunk(2)]);
  expect(seen).toEqual([0, 1, 2]);
});

test("a listener that left or throws gets nothing more, the others do", () => {
  const log = new ChunkLog(noStore);
  const seen: string[] = [];
  log.subscribe(() => {
    seen.push("broken");
    throw new Error("gone");
  });
  const leave = log.subscribe(() => seen.push("left"));
  log.subscribe(() => seen.push("there"));
  leave();
  log.add([chunk(0)]);
  log.add([chunk(1)]);
  expect(seen).toEqual(["broken", "there", "there"]);
});

test("old chunks leave memory once stored, and late listeners get them from the store", async () => {
  const big = "x".repeat(100_000);
  const stored: Chunk[] = [];
  const log = new ChunkLog(async (from) => stored.slice(from, from + 7));
  for (let index = 0; index < 100; index++) {
    const fresh = log.add([chunk(index, JSON.stringify(`${index}${big}`), true)]);
    stored.push(...fresh);
    log.trim(stored.length);
  }
  expect(log.all).toBeNull();
  const seen: number[] = [];
  log.subscribe((chunks) => seen.push(...chunks.map((c) => c.index)));
  log.add([chunk(100)]);
  expect(log.isCatchingUp).toBe(true);
  await log.settled();
  expect(seen).toEqual(Array.from({ length: 101 }, (_, index) => index));
  expect((await log.text()).length).toBe(stored.reduce((sum, c) => sum + c.content.length - 2, 0));
});

test("a listener that knows the first chunks is given the rest, and no page before it is read", async () => {
  const stored: Chunk[] = [];
  const asked: number[] = [];
  const log = new ChunkLog(async (from) => {
    asked.push(from);
    return stored.slice(from, from + 7);
  });
  for (let index = 0; index < 100; index++) {
    stored.push(...log.add([chunk(index, "x".repeat(100_000))]));
    log.trim(stored.length);
  }
  const seen: number[] = [];
  const far: number[] = [];
  log.subscribe((chunks) => far.push(...chunks.map((c) => c.index)), 99);
  expect(far).toEqual([99]);
  log.subscribe((chunks) => seen.push(...chunks.map((c) => c.index)), 30);
  await log.settled();
  log.add([chunk(100)]);
  expect(seen).toEqual(Array.from({ length: 71 }, (_, index) => index + 30));
  expect(Math.min(...asked)).toBe(30);
});

test("chunks that are not stored yet never leave memory", () => {
  const log = new ChunkLog(noStore);
  for (let index = 0; index < 100; index++) log.add([chunk(index, "x".repeat(100_000))]);
  log.trim(0);
  expect(log.all).toHaveLength(100);
});

test("the written text is what ctx.write sent, in order", async () => {
  const log = new ChunkLog(noStore);
  expect(log.sawText).toBe(false);
  log.add([chunk(0, '"Hel"', true), chunk(1, '{"a":1}'), chunk(2, '"lo"', true)]);
  expect(log.sawText).toBe(true);
  expect(await log.text()).toBe("Hello");
});

test("a store that cannot be read ends the listener, not the process", async () => {
  const log = new ChunkLog(() => Promise.reject(new Error("the disk is gone")));
  for (let index = 0; index < 100; index++) log.add([chunk(index, "x".repeat(100_000))]);
  log.trim(100);
  const seen: number[] = [];
  log.subscribe((chunks) => seen.push(chunks.length));
  await log.settled();
  log.add([chunk(100)]);
  expect(seen).toEqual([]);
});
