import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { NewExecution } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import {
  chunks,
  claim,
  DONE,
  entry,
  execution,
  finish,
  LEASE_MS,
  lines,
  NO_OUTPUT,
  STOPPED,
  start,
  T0,
  USAGE,
  type World,
  workflowParams,
} from "../fixtures.ts";

const PARKED = { until: T0 + 1_000, sleeps: [], calls: null, shortage: null, usage: USAGE, ...NO_OUTPUT };

async function enqueue(world: World, changes: Partial<NewExecution> = {}): Promise<string> {
  return (await world.store.enqueue({ execution: execution(world.workflow, changes) })).execution.id;
}

async function statusOf({ store, account }: World, executionId: string): Promise<string | undefined> {
  return (await store.findExecution({ accountId: account.id, executionId }))?.state.status;
}

function cancel({ store, account }: World, executionId: string): Promise<boolean> {
  return store.cancelExecution({ accountId: account.id, executionId, now: T0 + 7, error: STOPPED });
}

/** Contract: the queue and its leases. */
export function describeLeases(subject: () => Subject): void {
  describe("the queue", () => {
    it("hands out by priority, then age", async () => {
      const { world } = subject();
      const low = await enqueue(world, { priority: -1 });
      const first = await enqueue(world);
      const second = await enqueue(world);
      const high = await enqueue(world, { priority: 5 });
      const claimed = await claim(world, { max: 3 });
      expect(claimed.map((one) => one.id)).toEqual([high, first, second]);
      expect(claimed[0]).toMatchObject({ fence: 1, state: { status: "running", startedAt: T0 } });
      expect((await claim(world)).map((one) => one.id)).toEqual([low]);
      expect(await claim(world)).toEqual([]);
    });

    it("hands out nothing below the least priority asked for", async () => {
      const { world } = subject();
      const plain = await enqueue(world);
      const high = await enqueue(world, { priority: 10 });
      expect((await claim(world, { minPriority: 10 })).map((one) => one.id)).toEqual([high]);
      expect(await claim(world, { minPriority: 10 })).toEqual([]);
      expect((await claim(world)).map((one) => one.id)).toEqual([plain]);
    });

    it("waits for runAt and says when something comes due", async () => {
      const { world } = subject();
      expect(await world.store.nextDue()).toBeNull();
      await enqueue(world, { runAt: T0 + 900 });
      const early = await enqueue(world, { runAt: T0 + 500 });
      expect(await claim(world, { now: T0 + 499 })).toEqual([]);
      expect(await world.store.nextDue()).toBe(T0 + 500);
      expect((await claim(world, { now: T0 + 500 })).map((one) => one.id)).toEqual([early]);
      expect(await world.store.nextDue()).toBe(T0 + 900);
    });

    it("holds an account to its cap, counting what was started directly", async () => {
      const { world } = subject();
      const lease = await start(world);
      for (let at = 0; at < 4; at += 1) await enqueue(world);
      expect(await claim(world, { perAccount: 3 })).toHaveLength(2);
      expect(await claim(world, { perAccount: 3 })).toEqual([]);
      await finish(world, lease);
      expect(await claim(world, { perAccount: 3 })).toHaveLength(1);
    });

    it("is fair between accounts, however much one has queued or prefers", async () => {
      const { world } = subject();
      const other = await world.store.putWorkflow(workflowParams("account-2", { id: randomUUID() }));
      for (let at = 0; at < 6; at += 1) await enqueue(world, { priority: 9 });
      for (let at = 0; at < 2; at += 1) await enqueue({ ...world, workflow: other });
      const accounts = (await claim(world, { max: 4 })).map((one) => one.accountId);
      expect(accounts.filter((id) => id === "account-2")).toHaveLength(2);
      expect(await claim(world)).toHaveLength(4);
    });

    it("gives what a silent worker held to another, with a higher fence", async () => {
      const { world } = subject();
      const lease = await start(world);
      expect(await claim(world, { worker: "w2", now: T0 + LEASE_MS - 1 })).toEqual([]);
      const [taken] = await claim(world, { worker: "w2", now: T0 + LEASE_MS, perAccount: 1 });
      expect(taken).toMatchObject({ id: lease.executionId, fence: 2, state: { status: "running", startedAt: T0 } });
      const stale = { lease, usage: USAGE, ...NO_OUTPUT };
      expect(await world.store.completeExecution({ ...stale, ending: DONE, now: T0 })).toBe(false);
      expect(await world.store.waitExecution({ ...PARKED, lease })).toBe("lost");
      await expect(world.store.appendJournal({ lease, records: [entry(0)] })).rejects.toMatchObject({
        code: "CONFLICT",
      });
      await world.store.appendOutput({ lease, chunks: chunks(0, 1), logs: lines(0, 1) });
      expect(await world.store.readChunks({ executionId: lease.executionId, from: 0, limit: 9 })).toEqual([]);
      expect(await world.store.readJournal({ executionId: lease.executionId })).toEqual([]);
      expect(await finish(world, { executionId: lease.executionId, fence: 2 })).toBe(true);
    });

    it("renews leases: ok, cancel or lost", async () => {
      const { world } = subject();
      const [kept, stopped, lost, ended] = await Promise.all([start(world), start(world), start(world), start(world)]);
      expect(await cancel(world, stopped.executionId)).toBe(true);
      await finish(world, ended);
      const renew = { worker: "w1", leaseMs: LEASE_MS, now: T0 + 20_000 };
      const leases = [kept, stopped, { ...lost, fence: 0 }, ended, { executionId: "unknown", fence: 1 }];
      expect(await world.store.renew({ ...renew, leases })).toEqual(["ok", "cancel", "lost", "lost", "lost"]);
      expect(await world.store.renew({ ...renew, worker: "w2", leases: [kept] })).toEqual(["lost"]);
      const due = await claim(world, { worker: "w2", now: T0 + LEASE_MS });
      expect(due.map((one) => one.id)).toEqual([lost.executionId]);
      expect(await claim(world, { worker: "w2", now: T0 + 20_000 + LEASE_MS - 1 })).toEqual([]);
      expect(await claim(world, { worker: "w2", now: T0 + 20_000 + LEASE_MS })).toHaveLength(2);
    });

    it("keeps a lease that ran out but was taken by nobody", async () => {
      const { world } = subject();
      const lease = await start(world);
      await claim(world, { now: T0 + LEASE_MS, max: 0 });
      expect(await world.store.renew({ worker: "w1", leases: [lease], leaseMs: LEASE_MS, now: T0 + LEASE_MS })).toEqual(
        ["ok"],
      );
      expect(await claim(world, { worker: "w2", now: T0 + LEASE_MS })).toEqual([]);
    });

    it("releases what other workers held", async () => {
      const { world } = subject();
      const mine = await start(world);
      await enqueue(world);
      const [theirs] = await claim(world, { worker: "old" });
      expect(await world.store.releaseOthers({ worker: "w1" })).toBe(1);
      const claimed = await claim(world);
      expect(claimed.map((one) => [one.id, one.fence])).toEqual([[theirs?.id, 2]]);
      expect(await finish(world, mine)).toBe(true);
    });

    it("ends an execution once, with the output that was not yet stored", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world);
      await store.appendOutput({ lease, chunks: chunks(0, 2), logs: [] });
      const end = { lease, ending: DONE, usage: USAGE, chunks: chunks(1, 3), logs: lines(0, 2), now: T0 + 3 };
      expect(await store.completeExecution(end)).toBe(true);
      expect(await store.completeExecution({ ...end, ending: { status: "failed", error: STOPPED } })).toBe(false);
      const found = await store.findExecution({ accountId: account.id, executionId: lease.executionId });
      expect(found).toMatchObject({
        state: { ...DONE, startedAt: T0, finishedAt: T0 + 3 },
        usage: USAGE,
        chunkCount: 4,
      });
      expect(await store.readChunks({ executionId: lease.executionId, from: 0, limit: 9 })).toEqual(chunks(0, 4));
      expect(await claim(world, { now: T0 + 10 * LEASE_MS })).toEqual([]);
      expect(await store.nextDue()).toBeNull();
    });

    it("knows what a parked execution waits for, until it goes on", async () => {
      const { world, reopen } = subject();
      const lease = await start(world);
      const calls = [{ pos: 3, op: "sleep", hash: "h", args: '{"until":1}' }];
      await world.store.waitExecution({ ...PARKED, calls, lease });
      const { executionId } = lease;
      const again = await reopen();
      expect(await again.awaitedCalls({ executionId })).toEqual(calls);
      await claim({ ...world, store: again }, { now: T0 + 1_000 });
      expect(await again.awaitedCalls({ executionId })).toBeNull();
      await again.waitExecution({ ...PARKED, lease: { ...lease, fence: 2 } });
      expect(await again.awaitedCalls({ executionId })).toBeNull();
    });

    it("parks an execution until its time, then hands it out under a new fence", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world);
      await store.appendJournal({ lease, records: [entry(0)] });
      expect(await store.waitExecution({ ...PARKED, lease, chunks: chunks(0, 1) })).toBe("parked");
      const parked = await store.findExecution({ accountId: account.id, executionId: lease.executionId });
      expect(parked).toMatchObject({
        state: { status: "waiting", startedAt: T0, until: T0 + 1_000 },
        usage: USAGE,
        chunkCount: 1,
      });
      expect(await store.awaitedCalls({ executionId: lease.executionId })).toBeNull();
      expect(await store.nextDue()).toBe(T0 + 1_000);
      expect(await finish(world, lease)).toBe(false);
      expect(await claim(world, { now: T0 + 999 })).toEqual([]);
      const [resumed] = await claim(world, { now: T0 + 1_000 });
      expect(resumed).toMatchObject({ id: lease.executionId, fence: 2, state: { status: "running", startedAt: T0 } });
      await store.appendJournal({ lease: { ...lease, fence: 2 }, records: [entry(1)] });
      expect(await store.readJournal({ executionId: lease.executionId })).toEqual([entry(0), entry(1)]);
    });

    it("takes times that are fractions of a millisecond", async () => {
      const { world } = subject();
      const lease = await start(world, { createdAt: T0 + 0.25, timeoutMs: 1.5 });
      await world.store.waitExecution({ ...PARKED, lease, until: T0 + 0.5 });
      expect(await world.store.nextDue()).toBe(T0 + 0.5);
      expect(await claim(world, { now: T0 + 0.4 })).toEqual([]);
      expect(await claim(world, { now: T0 + 0.5 })).toMatchObject([{ createdAt: T0 + 0.25, timeoutMs: 1.5 }]);
    });

    it("cancels what is queued or waiting at once", async () => {
      const { world } = subject();
      const queued = await enqueue(world);
      const lease = await start(world);
      await world.store.waitExecution({ ...PARKED, lease });
      for (const id of [queued, lease.executionId]) {
        expect(await cancel(world, id)).toBe(true);
        expect(await cancel(world, id)).toBe(false);
        expect(await statusOf(world, id)).toBe("cancelled");
      }
      const found = await world.store.findExecution({ accountId: world.account.id, executionId: queued });
      expect(found?.state).toEqual({ status: "cancelled", startedAt: null, finishedAt: T0 + 7, error: STOPPED });
      expect(await claim(world, { now: T0 + 5_000 })).toEqual([]);
      expect(await cancel(world, "unknown")).toBe(false);
      expect(await cancel({ ...world, account: { ...world.account, id: "other" } }, queued)).toBe(false);
    });

    it("asks a running one to stop, also through its parking, and ends one whose holder is gone", async () => {
      const { world } = subject();
      const [running, parking, orphan] = await Promise.all([
        start(world),
        start(world),
        start(world, { id: randomUUID(), createdAt: T0 - LEASE_MS }),
      ]);
      expect(await cancel(world, running.executionId)).toBe(true);
      expect(await statusOf(world, running.executionId)).toBe("running");
      await cancel(world, parking.executionId);
      expect(await world.store.waitExecution({ ...PARKED, lease: parking })).toBe("ready");
      const claimed = await claim(world, { max: 1 });
      expect(claimed.map((one) => one.id)).toEqual([parking.executionId]);
      const again = { executionId: parking.executionId, fence: 2 };
      expect(await world.store.renew({ worker: "w1", leases: [again], leaseMs: LEASE_MS, now: T0 })).toEqual([
        "cancel",
      ]);
      expect(await cancel(world, orphan.executionId)).toBe(true);
      expect(await statusOf(world, orphan.executionId)).toBe("cancelled");
      expect(await finish(world, orphan)).toBe(false);
    });

    it("never hands one execution to two workers", async () => {
      const { world } = subject();
      for (let at = 0; at < 40; at += 1) await enqueue(world);
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, at) => claim(world, { worker: `w${at}`, max: 7 })),
      );
      const ids = claims.flat().map((one) => one.id);
      expect(ids).toHaveLength(40);
      expect(new Set(ids).size).toBe(40);
    });
  });
}
