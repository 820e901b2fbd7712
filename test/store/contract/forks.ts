import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { entry, execution, start, T0 } from "../fixtures.ts";

/** Contract: executions that begin with what another one recorded. */
export function describeForks(subject: () => Subject): void {
  describe("forks", () => {
    const fork = { originId: "origin", at: 2, clockAt: T0 - 0.5, asked: "hash" };

    it("are queued with their first deliveries, and keep where they come from across reopening", async () => {
      const { world, reopen } = subject();
      const forked = execution(world.workflow);
      await world.store.enqueueFork({ execution: forked, fork, records: [entry(0), entry(1)], gates: null });
      const store = await reopen();
      expect(await store.findFork({ executionId: forked.id })).toEqual(fork);
      expect(await store.readJournal({ executionId: forked.id })).toEqual([entry(0), entry(1)]);
      const found = await store.findExecution({ accountId: world.account.id, executionId: forked.id });
      expect(found?.state).toEqual({ status: "queued" });
    });

    it("go on with the journal where it ends", async () => {
      const { world } = subject();
      const { store } = world;
      const forked = execution(world.workflow);
      await store.enqueueFork({ execution: forked, fork, records: [entry(0)], gates: null });
      const claim = { worker: "w", max: 9, leaseMs: 1_000, now: T0 + 1, perAccount: 9, minPriority: null };
      const [claimed] = await store.claim(claim);
      const lease = { executionId: forked.id, fence: claimed?.fence ?? 0 };
      await store.appendJournal({ lease, records: [entry(1)] });
      expect(await store.readJournal({ executionId: forked.id })).toEqual([entry(0), entry(1)]);
    });

    it("are all or nothing, and others are none", async () => {
      const { world } = subject();
      const { store, workflow } = world;
      const lease = await start(world);
      expect(await store.findFork({ executionId: lease.executionId })).toBeNull();
      const taken = {
        execution: execution(world.workflow, { id: lease.executionId }),
        fork,
        records: [entry(0)],
        gates: null,
      };
      await expect(store.enqueueFork(taken)).rejects.toMatchObject({ code: "CONFLICT" });
      expect(await store.readJournal({ executionId: lease.executionId })).toEqual([]);
      const forked = execution(world.workflow);
      await store.enqueueFork({ execution: forked, fork, records: [], gates: null });
      await store.deleteWorkflow({ accountId: world.account.id, workflowId: workflow.id });
      expect(await store.findFork({ executionId: forked.id })).toBeNull();
    });
  });
}
