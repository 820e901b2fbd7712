import { describe, expect, it } from "vitest";
import type { Gates, NewExecution } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { claim, execution, finish, LEASE_MS, NO_OUTPUT, STOPPED, T0, USAGE, type World } from "../fixtures.ts";

const OPEN: Gates = { slot: null, rate: null, debounce: null, isDirect: false };
const slot = (limit: number, key = "k"): Gates => ({ ...OPEN, slot: { key, limit } });
const rate = (limit: number, periodMs = 1_000): Gates => ({ ...OPEN, rate: { key: "r", limit, periodMs } });

async function enqueue(world: World, gates: Gates, changes: Partial<NewExecution> = {}): Promise<string> {
  return (await world.store.enqueue({ execution: execution(world.workflow, changes), gates })).execution.id;
}

const enqueueMany = (world: World, gates: Gates, count: number) =>
  Promise.all(Array.from({ length: count }, () => enqueue(world, gates)));

const idsOf = async (claimed: ReturnType<typeof claim>) => (await claimed).map(({ id }) => id);

const cancel = ({ store, account }: World, executionId: string) =>
  store.cancelExecution({ accountId: account.id, executionId, now: T0, error: STOPPED });

function describeSlots(subject: () => Subject): void {
  describe("slots", () => {
    it("are never more than the limit at the same time, and go to the next by priority, then age", async () => {
      const { world } = subject();
      const [first = "", second = "", third] = await enqueueMany(world, slot(2), 3);
      const urgent = await enqueue(world, slot(2), { priority: 5 });
      const running = await claim(world);
      expect(running.map(({ id, isGated }) => [id, isGated])).toEqual([
        [first, true],
        [second, true],
      ]);
      expect(await world.store.nextDue()).toBe(T0 + LEASE_MS);
      await finish(world, { executionId: first, fence: 1 });
      expect(await idsOf(claim(world))).toEqual([urgent]);
      await finish(world, { executionId: second, fence: 1 });
      expect(await idsOf(claim(world))).toEqual([third]);
      expect(await claim(world)).toEqual([]);
    });

    it("are apart for each key and each workflow, and none is needed without a limit", async () => {
      const { world } = subject();
      const [first, , free] = [
        await enqueue(world, slot(1, "a")),
        await enqueue(world, slot(1, "a")),
        await enqueue(world, slot(1, "b")),
      ];
      expect(await idsOf(claim(world))).toEqual([first, free]);
    });

    it("are given back by whoever is cancelled, queued or waiting behind the gate", async () => {
      const { world } = subject();
      const [first = "", second = "", third] = await enqueueMany(world, slot(1), 3);
      await cancel(world, second);
      expect(await cancel(world, first)).toBe(true);
      expect(await idsOf(claim(world))).toEqual([third]);
    });

    it("are free while their holder is parked, which needs one to go on", async () => {
      const { world } = subject();
      const [first = "", second = ""] = await enqueueMany(world, slot(1), 2);
      await claim(world);
      const lease = { executionId: first, fence: 1 };
      await world.store.waitExecution({
        lease,
        until: T0 + 10,
        sleeps: [],
        calls: null,
        shortage: null,
        usage: USAGE,
        ...NO_OUTPUT,
      });
      expect(await idsOf(claim(world))).toEqual([second]);
      expect(await claim(world, { now: T0 + 20 })).toEqual([]);
      await finish(world, { executionId: second, fence: 1 });
      expect(await idsOf(claim(world, { now: T0 + 20 }))).toEqual([first]);
    });

    it("stay with an execution whose holder is silent or gone", async () => {
      const { world, reopen } = subject();
      const [first, second] = await enqueueMany(world, slot(1), 2);
      await claim(world);
      const store = await reopen();
      await store.releaseOthers({ worker: "w2" });
      const again = { ...world, store };
      expect(await idsOf(claim(again, { worker: "w2" }))).toEqual([first]);
      await finish(again, { executionId: first ?? "", fence: 2 });
      expect(await idsOf(claim(again))).toEqual([second]);
    });

    it("follow a limit that changes", async () => {
      const { world } = subject();
      await enqueueMany(world, slot(1), 3);
      expect(await claim(world)).toHaveLength(1);
      await enqueue(world, slot(3));
      expect(await claim(world)).toHaveLength(2);
    });

    it("are asked for when a delayed execution is due, not before", async () => {
      const { world } = subject();
      const late = await enqueue(world, slot(1), { runAt: T0 + 100 });
      const now = await enqueue(world, slot(1));
      expect(await idsOf(claim(world))).toEqual([now]);
      expect(await claim(world, { now: T0 + 100 })).toEqual([]);
      await finish(world, { executionId: now, fence: 1 });
      expect(await idsOf(claim(world, { now: T0 + 100 }))).toEqual([late]);
    });

    it("do not hold up one that someone asked to stop", async () => {
      const { world } = subject();
      const [first = ""] = await enqueueMany(world, slot(1), 2);
      await claim(world);
      await cancel(world, first);
      await world.store.waitExecution({
        lease: { executionId: first, fence: 1 },
        until: T0 + 9,
        sleeps: [],
        calls: null,
        shortage: null,
        usage: USAGE,
        ...NO_OUTPUT,
      });
      expect(await idsOf(claim(world))).toContain(first);
    });
  });
}

function describeRates(subject: () => Subject): void {
  describe("rates", () => {
    it("let no more start within any period, and say when the next may", async () => {
      const { world } = subject();
      const jobs = await enqueueMany(world, rate(2), 5);
      expect(await idsOf(claim(world))).toEqual(jobs.slice(0, 2));
      expect(await world.store.nextDue()).toBe(T0 + 1_000);
      expect(await claim(world, { now: T0 + 999 })).toEqual([]);
      expect(await idsOf(claim(world, { now: T0 + 1_400 }))).toEqual(jobs.slice(2, 4));
      expect(await claim(world, { now: T0 + 2_399 })).toEqual([]);
      expect(await idsOf(claim(world, { now: T0 + 2_400 }))).toEqual(jobs.slice(4));
    });

    it("go by priority, also for one that comes later", async () => {
      const { world } = subject();
      await enqueueMany(world, rate(1), 2);
      await claim(world);
      const urgent = await enqueue(world, rate(1), { priority: 1 });
      expect(await idsOf(claim(world, { now: T0 + 1_000 }))).toEqual([urgent]);
    });

    it("are not waited for by who waits for an answer: RATE_LIMITED says when to come back", async () => {
      const { world } = subject();
      const direct = { ...rate(1, 5_000), isDirect: true };
      const first = await enqueue(world, direct);
      await expect(enqueue(world, direct, { createdAt: T0 + 1_500 })).rejects.toMatchObject({
        code: "RATE_LIMITED",
        details: { retry_after: 4, limit: "rateLimit.limit", value: 1 },
      });
      expect(await idsOf(claim(world))).toEqual([first]);
      await enqueue(world, direct, { createdAt: T0 + 5_000, runAt: T0 + 5_000 });
    });

    it("count a start once, however often the execution is parked", async () => {
      const { world } = subject();
      const [first = "", second] = await enqueueMany(world, rate(1), 2);
      await claim(world);
      const lease = { executionId: first, fence: 1 };
      await world.store.waitExecution({
        lease,
        until: T0 + 10,
        sleeps: [],
        calls: null,
        shortage: null,
        usage: USAGE,
        ...NO_OUTPUT,
      });
      expect(await idsOf(claim(world, { now: T0 + 10 }))).toEqual([first]);
      expect(await idsOf(claim(world, { now: T0 + 1_000 }))).toEqual([second]);
    });

    it("pass the turn on when the next one is cancelled", async () => {
      const { world } = subject();
      const [, second = "", third] = await enqueueMany(world, rate(1), 3);
      await claim(world);
      await cancel(world, second);
      expect(await idsOf(claim(world, { now: T0 + 1_000 }))).toEqual([third]);
    });

    it("come after the slot", async () => {
      const { world } = subject();
      const both = { ...slot(1), rate: rate(1).rate };
      const [first = "", second] = await enqueueMany(world, both, 2);
      await claim(world);
      expect(await claim(world, { now: T0 + 1_000 })).toEqual([]);
      await finish(world, { executionId: first, fence: 1 });
      expect(await idsOf(claim(world, { now: T0 + 1_000 }))).toEqual([second]);
    });
  });
}

function describeDebounce(subject: () => Subject): void {
  const gates = (key = "d"): Gates => ({ ...OPEN, debounce: { key, delayMs: 100, maxWaitMs: 250 } });

  describe("a debounce", () => {
    it("makes calls within its delay one execution with the last request", async () => {
      const { world } = subject();
      const { store } = world;
      const first = await store.enqueue({ execution: execution(world.workflow), gates: gates() });
      const last = execution(world.workflow, {
        createdAt: T0 + 60,
        data: '{"input":2}',
        requestId: "last",
        priority: 7,
      });
      const joined = await store.enqueue({ execution: last, gates: gates() });
      expect(first).toMatchObject({ created: true, debounced: false, execution: { runAt: T0 + 100 } });
      const { id } = first.execution;
      const request = { id, data: '{"input":2}', requestId: "last", priority: 7, runAt: T0 + 160, createdAt: T0 };
      expect(joined).toMatchObject({ created: false, debounced: true, execution: request });
      expect(await claim(world, { now: T0 + 159 })).toEqual([]);
      expect(await claim(world, { now: T0 + 160 })).toMatchObject([request]);
    });

    it("waits no longer than its longest wait, and begins anew afterwards", async () => {
      const { world } = subject();
      const at = (ms: number) => enqueue(world, gates(), { createdAt: T0 + ms, runAt: T0 + ms });
      const ids = [await at(0), await at(90), await at(180), await at(240)];
      expect(new Set(ids).size).toBe(1);
      expect(await idsOf(claim(world, { now: T0 + 250 }))).toEqual([ids[0]]);
      expect(await at(251)).not.toBe(ids[0]);
    });

    it("does not join what is due, of another key or cancelled", async () => {
      const { world } = subject();
      const first = await enqueue(world, gates());
      const other = await enqueue(world, gates("e"));
      const late = await enqueue(world, gates(), { createdAt: T0 + 100, runAt: T0 + 100 });
      await cancel(world, late);
      const next = await enqueue(world, gates(), { createdAt: T0 + 110, runAt: T0 + 110 });
      expect(new Set([first, other, late, next]).size).toBe(4);
    });
  });
}

/** Contract: what an execution passes on its way to the queue. */
export function describeGates(subject: () => Subject): void {
  describeSlots(subject);
  describeRates(subject);
  describeDebounce(subject);

  it("gates go with their workflow", async () => {
    const { world } = subject();
    await enqueueMany(world, { ...slot(1), rate: rate(1).rate }, 3);
    await claim(world);
    const { store, account, workflow } = world;
    expect(await store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id })).toBe(true);
    expect(await claim(world, { now: T0 + LEASE_MS })).toEqual([]);
    expect(await store.nextDue()).toBeNull();
  });
}
