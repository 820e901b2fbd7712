import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { collectWhenIdle, type IdleThread, thisThread } from "../../runtime/idle-collector.ts";

const MIB = 1024 * 1024;
const LOOK_MS = 2_500;

interface FakeThread extends IdleThread {
  share: number;
  totalMib: number;
  usedMib: number;
  collections: number;
}

function createThread(collect: () => Promise<void> = async () => undefined): FakeThread {
  return {
    share: 0,
    totalMib: 90,
    usedMib: 40,
    collections: 0,
    busyShare() {
      return this.share;
    },
    heap() {
      return { totalBytes: this.totalMib * MIB, usedBytes: this.usedMib * MIB };
    },
    collect() {
      this.collections++;
      this.totalMib = 30;
      return collect();
    },
  };
}

const looks = (count: number) => vi.advanceTimersByTimeAsync(count * LOOK_MS);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a thread that has nothing to do for a while gives its memory back, once", async () => {
  const thread = createThread();
  const stop = collectWhenIdle(thread);
  await looks(2);
  expect(thread.collections).toBe(0);
  await looks(1);
  expect(thread.collections).toBe(1);
  await looks(100);
  expect(thread.collections).toBe(1);
  stop();
});

test("while it works, and right after, nothing is collected", async () => {
  const thread = createThread();
  const stop = collectWhenIdle(thread);
  for (let round = 0; round < 5; round++) {
    await looks(2);
    thread.share = 0.1;
    await looks(1);
    thread.share = 0;
  }
  expect(thread.collections).toBe(0);
  stop();
});

test("it is collected again only after five minutes, when it has worked and has grown by then", async () => {
  const thread = createThread();
  const stop = collectWhenIdle(thread);
  const work = async (totalMib: number) => {
    thread.share = 0.5;
    await looks(1);
    thread.share = 0;
    thread.totalMib = totalMib;
    await looks(5);
  };
  await looks(3);
  await work(90);
  await looks(114);
  expect(thread.collections).toBe(1);
  await looks(1);
  expect(thread.collections).toBe(2);
  await work(37);
  await looks(200);
  expect(thread.collections).toBe(2);
  await work(38);
  await looks(200);
  expect(thread.collections).toBe(3);
  stop();
});

test("a heap that would take long, and a thread that was told to stop, are left alone; a failure changes nothing", async () => {
  const large = createThread();
  large.usedMib = 97;
  large.totalMib = 200;
  const stopped = createThread();
  const failing = createThread(() => Promise.reject(new Error("no inspector")));
  const stops = [collectWhenIdle(large), collectWhenIdle(failing)];
  collectWhenIdle(stopped)();
  await looks(10);
  expect([large.collections, stopped.collections, failing.collections]).toEqual([0, 0, 1]);
  for (const stop of stops) stop();
});

test("the heap of this thread shrinks when it is collected", async () => {
  vi.useRealTimers();
  const thread = thisThread();
  let garbage: unknown = Array.from({ length: 400_000 }, (_, n) => ({ n, text: `text ${n}` }));
  const before = thread.heap();
  expect(garbage).toHaveLength(400_000);
  garbage = null;
  await thread.collect();
  const after = thread.heap();
  expect(before.totalBytes - after.totalBytes).toBeGreaterThan(10 * MIB);
  expect(thread.busyShare()).toBeGreaterThan(0);
});
