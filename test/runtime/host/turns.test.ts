import { expect, test } from "vitest";
import type { IsolateBox, TurnEnd } from "../../../runtime/host/isolate.ts";
import { createLane, createTurnScheduler, type Lane, type Turn, whenFree } from "../../../runtime/host/turns.ts";

interface Bench {
  readonly lane: Lane;
  /** Runs of the turns in the order they were handed to the isolate. */
  readonly started: number[];
  readonly ends: { readonly run: number; readonly status: TurnEnd["status"] }[];
  add(run: number, budgetMs?: number): void;
  /** Lets the oldest turn that was handed over return, `activeMs` later by the isolate's clock. */
  finish(activeMs?: number): Promise<void>;
  /** Turns handed over that have not returned. */
  open(): number;
}

/** One lane over a clock that only the test moves. */
function createBench(turnMs = 1_000): Bench {
  let active = 0;
  const box: IsolateBox = {
    realmNow: () => expect.fail("no realm is made here"),
    collect: () => expect.fail("nothing is collected here"),
    activeMs: () => active,
    isDisposed: () => false,
    dispose: () => undefined,
  };
  const lane = createLane(box);
  const scheduler = createTurnScheduler(1, { stuck: () => undefined, idle: () => undefined });
  const open: PromiseWithResolvers<TurnEnd>[] = [];
  const started: number[] = [];
  const ends: Bench["ends"] = [];
  const turn = (run: number, budgetMs: number): Turn => ({
    run,
    turnMs,
    budgetMs: () => budgetMs,
    start() {
      started.push(run);
      const end = Promise.withResolvers<TurnEnd>();
      open.push(end);
      return end.promise;
    },
    ended: ({ status }) => void ends.push({ run, status }),
  });
  return {
    lane,
    started,
    ends,
    open: () => open.length,
    add: (run, budgetMs = 10_000) => scheduler.add(lane, turn(run, budgetMs)),
    async finish(activeMs = 0) {
      active += activeMs;
      open.shift()?.resolve({ status: "ok" });
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("turns of one run that wait behind each other are handed over together, twice as many each time", async () => {
  const bench = createBench();
  for (let i = 0; i < 20; i++) bench.add(1);
  const sizes: number[] = [];
  while (bench.ends.length < 20) {
    sizes.push(bench.open());
    for (let left = bench.open(); left > 0; left--) await bench.finish();
  }
  expect(sizes).toEqual([1, 2, 4, 8, 5]);
  expect(bench.started).toHaveLength(20);
});

test("a batch holds at most 64 turns, and fewer once they take long", async () => {
  const bench = createBench();
  const sizes: number[] = [];
  for (let i = 0; i < 400; i++) bench.add(1);
  while (bench.ends.length < 400) {
    sizes.push(bench.open());
    const slow = sizes.length > 8;
    for (let left = bench.open(); left > 0; left--) await bench.finish(slow ? 1 : 0);
  }
  expect(Math.max(...sizes)).toBe(64);
  expect(sizes.slice(8, 13)).toEqual([64, 32, 16, 8, 16]);
});

test("turns of another run are never in the batch: what the isolate does belongs to one run", async () => {
  const bench = createBench();
  bench.lane.batch = 64;
  for (const run of [1, 1, 2, 1, 2, 2]) bench.add(run);
  const groups: number[][] = [];
  while (bench.ends.length < 6) {
    groups.push(bench.started.slice(bench.ends.length));
    for (let left = bench.open(); left > 0; left--) await bench.finish();
  }
  // The first one began before there was a second.
  expect(groups).toEqual([[1], [1], [2], [1], [2, 2]]);
});

test("a run that passes its CPU budget within a batch is over at that turn", async () => {
  const bench = createBench();
  bench.lane.batch = 64;
  for (let i = 0; i < 4; i++) bench.add(1, 2_000);
  await bench.finish();
  expect(bench.open()).toBe(3);
  await bench.finish(1_500);
  await bench.finish(600);
  expect(bench.ends.map(({ status }) => status)).toEqual(["ok", "ok", "timeout"]);
});

test("near the end of its CPU budget a run gets one turn at a time", async () => {
  const bench = createBench();
  bench.lane.batch = 64;
  for (let i = 0; i < 3; i++) bench.add(1, 999);
  await bench.finish();
  expect(bench.open()).toBe(1);
});

test("what needs a free isolate is done at once, or between the turn that runs and the next", async () => {
  const bench = createBench();
  const order: string[] = [];
  whenFree(bench.lane, () => order.push(`at once, ${bench.started.length} begun`));
  bench.add(1);
  bench.add(2);
  whenFree(bench.lane, () => order.push(`in between, ${bench.started.length} begun`));
  expect(order).toEqual(["at once, 0 begun"]);
  await bench.finish();
  expect(order).toEqual(["at once, 0 begun", "in between, 1 begun"]);
  expect(bench.started).toEqual([1, 2]);
});
