import { expect, test } from "vitest";
import { type IsolateBox, type TurnEnd, UNWATCHED } from "../../../runtime/host/isolate.ts";
import {
  createLane,
  createTurnScheduler,
  isLate,
  type Lane,
  type Turn,
  whenFree,
} from "../../../runtime/host/turns.ts";

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
    keepCode: () => expect.fail("no code is kept here"),
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

/** Steps of a feed: only the watched ones can be seen to return. */
function addSteps(lane: Lane, count: number, turnMs: number) {
  const scheduler = createTurnScheduler(1, { stuck: () => undefined, idle: () => undefined });
  const watched: PromiseWithResolvers<TurnEnd>[] = [];
  const begun: boolean[] = [];
  const ends: TurnEnd["status"][] = [];
  const step: Turn = {
    run: 1,
    turnMs,
    budgetMs: () => 10_000,
    start(_limitMs, isWatched) {
      begun.push(isWatched);
      if (!isWatched) return UNWATCHED;
      const end = Promise.withResolvers<TurnEnd>();
      watched.push(end);
      return end.promise;
    },
    ended: ({ status }) => void ends.push(status),
  };
  scheduler.add(lane, ...new Array<Turn>(count).fill(step));
  const finish = async (end: TurnEnd = { status: "ok" }) => {
    watched.shift()?.resolve(end);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, ends, finish };
}

test("of turns that need not be waited for, every eighth and the last of a batch are watched", async () => {
  const { lane } = createBench();
  lane.batch = 20;
  const { begun, ends, finish } = addSteps(lane, 20, 1_000);
  expect(begun.flatMap((isWatched, at) => (isWatched ? [at] : []))).toEqual([7, 15, 19]);
  for (let i = 0; i < 3; i++) await finish();
  expect(ends).toEqual(["ok", "ok", "ok"]);
});

test.each<[end: TurnEnd["status"], told: TurnEnd["status"]]>([
  ["ok", "slow"],
  ["timeout", "slow"],
  ["memory", "memory"],
  ["disposed", "disposed"],
])("when they take as long as one may and the watched one ends with %s, it is told as %s", async (status, told) => {
  const { lane } = createBench();
  lane.batch = 8;
  const { ends, finish } = addSteps(lane, 8, 50);
  expect(lane.running !== null && isLate(lane.running)).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 80));
  expect(lane.running !== null && isLate(lane.running)).toBe(true);
  await finish({ status } as TurnEnd);
  expect(ends).toEqual([told]);
});

test("a turn that is stopped right behind another watched one is to blame itself", async () => {
  const { lane } = createBench();
  lane.batch = 1;
  const { ends, finish } = addSteps(lane, 1, 50);
  await new Promise((resolve) => setTimeout(resolve, 80));
  await finish({ status: "timeout" });
  expect(ends).toEqual(["timeout"]);
});

test("a turn that was stopped while this thread was busy is noticed: what counts is when the batch began", async () => {
  const { lane } = createBench();
  lane.batch = 16;
  const { ends, finish } = addSteps(lane, 16, 300);
  // The isolate is in the second eight by now, and nobody has heard of the first.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await finish();
  expect(lane.running !== null && isLate(lane.running)).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(lane.running !== null && isLate(lane.running)).toBe(true);
  await finish();
  expect(ends).toEqual(["ok", "slow"]);
});
