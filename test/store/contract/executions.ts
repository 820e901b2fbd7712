import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ExecutionFilter, NewExecution } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import {
  chunks,
  DONE,
  execution,
  FIRST_ATTEMPT,
  finish,
  LEASE_MS,
  lines,
  NO_OUTPUT,
  STOPPED,
  start,
  T0,
  USAGE,
  workflowParams,
} from "../fixtures.ts";

const ZERO = { promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 0, cpuMs: 0 };

/** Contract: making, finding and listing executions. */
export function describeExecutions(subject: () => Subject): void {
  describe("executions", () => {
    it("are queued and read back whole", async () => {
      const { store, account, workflow } = subject().world;
      const fresh = execution(workflow, {
        hasSecrets: true,
        cacheKey: "k",
        idempotencyKey: "i",
        parentId: "p",
        parentPos: 3,
        depth: 2,
        priority: -4,
        timeoutMs: null,
      });
      const expected = {
        ...fresh,
        state: { status: "queued" },
        usage: ZERO,
        chunkCount: 0,
        fence: 0,
        ...FIRST_ATTEMPT,
      };
      expect(await store.enqueue({ execution: fresh })).toEqual({
        execution: expected,
        created: true,
        debounced: false,
      });
      expect(await store.findExecution({ accountId: account.id, executionId: fresh.id })).toEqual(expected);
      expect(await store.findExecution({ accountId: "other", executionId: fresh.id })).toBeNull();
      expect(await store.findChild({ parentId: "p", parentPos: 3 })).toEqual(expected);
      expect(await store.findChild({ parentId: "p", parentPos: 4 })).toBeNull();
    });

    it("are queued once per idempotency key and once per parent position, also in one turn", async () => {
      const { store, workflow } = subject().world;
      const keyed = Array.from({ length: 3 }, () =>
        store.enqueue({ execution: execution(workflow, { idempotencyKey: "i" }) }),
      );
      const children = Array.from({ length: 3 }, () =>
        store.enqueue({ execution: execution(workflow, { parentId: "p", parentPos: 0 }) }),
      );
      for (const group of [await Promise.all(keyed), await Promise.all(children)]) {
        expect(group.map((one) => one.created)).toEqual([true, false, false]);
        expect(new Set(group.map((one) => one.execution.id)).size).toBe(1);
      }
      const other = await store.putWorkflow(workflowParams("account-2"));
      expect((await store.enqueue({ execution: execution(other, { idempotencyKey: "i" }) })).created).toBe(true);
    });

    it("start at once under fence 1", async () => {
      const { world } = subject();
      const fresh = execution(world.workflow);
      expect(
        await world.store.startExecution({ execution: fresh, startedAt: T0, worker: "w1", leaseMs: LEASE_MS }),
      ).toEqual({
        executionId: fresh.id,
        fence: 1,
      });
      const found = await world.store.findExecution({ accountId: fresh.accountId, executionId: fresh.id });
      expect(found).toMatchObject({ state: { status: "running", startedAt: T0 }, fence: 1 });
    });

    it("that waited before they start keep the time of their start, and their lease counts from it", async () => {
      const { world } = subject();
      const fresh = execution(world.workflow);
      const startedAt = T0 + 2 * LEASE_MS;
      await world.store.startExecution({ execution: fresh, startedAt, worker: "w1", leaseMs: LEASE_MS });
      const found = await world.store.findExecution({ accountId: fresh.accountId, executionId: fresh.id });
      expect(found).toMatchObject({ createdAt: T0, state: { status: "running", startedAt } });
      expect(await world.store.nextDue()).toBe(startedAt + LEASE_MS);
    });

    it("may be started without awaiting: what follows finds them", async () => {
      const { world } = subject();
      const fresh = execution(world.workflow);
      void world.store.startExecution({ execution: fresh, startedAt: T0, worker: "w1", leaseMs: LEASE_MS });
      expect(await finish(world, { executionId: fresh.id, fence: 1 })).toBe(true);
    });

    it("refuse a taken id, key or parent position, and a workflow that is gone", async () => {
      const { world } = subject();
      const taken = execution(world.workflow, { idempotencyKey: "i", parentId: "p", parentPos: 0 });
      await world.store.enqueue({ execution: taken });
      for (const changes of [{ id: taken.id }, { idempotencyKey: "i" }, { parentId: "p", parentPos: 0 }]) {
        await expect(start(world, changes)).rejects.toMatchObject({ code: "CONFLICT" });
      }
      await expect(start(world, { workflowId: "gone" })).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
      expect(
        (
          await world.store.listExecutions({
            accountId: world.account.id,
            filter: {},
            limit: 9,
            offset: 0,
            after: null,
          })
        ).total,
      ).toBe(1);
    });

    it("that failed to be added do not take along others of the same turn", async () => {
      const { world } = subject();
      const good = execution(world.workflow);
      const all = await Promise.allSettled([
        start(world, { id: good.id }),
        start(world, { id: good.id }),
        start(world),
      ]);
      expect(all.map((one) => one.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    });

    it("are recorded from start to end in one go", async () => {
      const { store, account, workflow } = subject().world;
      const done = execution(workflow, { mode: "sync", cacheKey: "k" });
      const times = { startedAt: T0 + 1, finishedAt: T0 + 2 };
      await store.recordExecution({
        execution: done,
        ending: { status: "completed", output: null, cached: true, resultOf: null },
        ...times,
        usage: USAGE,
        chunks: chunks(0, 2),
        logs: lines(0, 1),
      });
      expect(await store.findExecution({ accountId: account.id, executionId: done.id })).toEqual({
        ...done,
        state: { status: "completed", ...times, output: null, cached: true },
        usage: USAGE,
        chunkCount: 2,
        fence: 1,
        ...FIRST_ATTEMPT,
      });
      expect(await store.readLogs({ executionId: done.id, from: 0, limit: 9 })).toEqual(lines(0, 1));
      const failed = execution(workflow);
      const error = { code: "EXECUTION_FAILED", message: "boom", details: { line: 3 }, status: 418 } as const;
      await store.recordExecution({
        execution: failed,
        ending: { status: "failed", error },
        ...times,
        usage: USAGE,
        ...NO_OUTPUT,
      });
      expect((await store.findExecution({ accountId: account.id, executionId: failed.id }))?.state).toEqual({
        status: "failed",
        ...times,
        error,
      });
    });

    it("that the result cache answered are recorded many at a time; those of a workflow that is gone are left out", async () => {
      const { store, account, workflow } = subject().world;
      const other = await store.putWorkflow(workflowParams(account.id, { ref: "other", id: randomUUID() }));
      const gone = { ...workflow, id: randomUUID() };
      const made = [workflow, gone, other, workflow].map((of) => execution(of, { mode: "sync", cacheKey: "k" }));
      const hit = (one: NewExecution, count: number) => ({
        execution: one,
        resultOf: null,
        output: '"yes"',
        chunks: chunks(0, count),
        finishedAt: T0 + 3,
      });
      const recorded = store.recordHits({ hits: made.map(hit) });
      const read = (one: NewExecution | undefined, accountId = account.id) =>
        store.findExecution({ accountId, executionId: one?.id ?? "" });
      const [first, lost, , last] = made;
      expect(await read(last)).toEqual({
        ...last,
        state: { status: "completed", startedAt: T0, finishedAt: T0 + 3, output: '"yes"', cached: true },
        usage: ZERO,
        chunkCount: 3,
        fence: 1,
        ...FIRST_ATTEMPT,
      });
      await recorded;
      expect(await read(first)).toMatchObject({ chunkCount: 0 });
      expect(await read(first, "other")).toBeNull();
      expect(await read(lost)).toBeNull();
      expect(await store.readChunks({ executionId: last?.id ?? "", from: 1, limit: 9 })).toEqual(chunks(1, 2));
      const list = async (workflow: ExecutionFilter) => {
        const filter: ExecutionFilter = { statuses: ["completed"], ...workflow };
        return (await store.listExecutions({ accountId: account.id, filter, limit: 9, offset: 0, after: null })).total;
      };
      const totals = [await list({}), await list({ workflowId: workflow.id }), await list({ workflowId: other.id })];
      expect(totals).toEqual([3, 2, 1]);
      await store.recordHits({ hits: [execution(workflow), execution(workflow)].map((one) => hit(one, 0)) });
      expect([await list({}), await list({ workflowId: workflow.id })]).toEqual([5, 4]);
    });

    it("that the result cache answered are refused together when an id is taken", async () => {
      const { store, account, workflow } = subject().world;
      const [one, two] = [execution(workflow), execution(workflow)];
      const hits = [one, two, one].map((made) => ({
        execution: made,
        resultOf: null,
        output: "1",
        chunks: [],
        finishedAt: T0,
      }));
      await expect(store.recordHits({ hits })).rejects.toMatchObject({ code: "CONFLICT" });
      expect(await store.findExecution({ accountId: account.id, executionId: two.id })).toBeNull();
      const all = { accountId: account.id, filter: {}, limit: 9, offset: 0, after: null };
      expect((await store.listExecutions(all)).total).toBe(0);
    });

    it("survive closing and opening", async () => {
      const { world, reopen } = subject();
      const lease = await start(world);
      await finish(world, lease);
      const store = await reopen();
      const found = await store.findExecution({ accountId: world.account.id, executionId: lease.executionId });
      expect(found).toMatchObject({ state: { ...DONE, startedAt: T0, finishedAt: T0 + 5 }, usage: USAGE });
    });

    it("are refused after close", async () => {
      const { world } = subject();
      await world.store.close();
      await expect(start(world)).rejects.toMatchObject({ code: "STOPPING" });
      const gone = { accountId: world.account.id, executionId: "x", now: T0, error: STOPPED };
      await expect(world.store.cancelExecution(gone)).rejects.toMatchObject({ code: "STOPPING" });
    });
  });
}
