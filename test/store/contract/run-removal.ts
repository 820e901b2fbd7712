import { describe, expect, it } from "vitest";
import type { ExecutionFilter, Lease } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { chunks, entry, execution, finish, lines, start, T0, type World } from "../fixtures.ts";

const totalOf = async ({ store, account }: World, filter: ExecutionFilter = {}) =>
  (await store.listExecutions({ accountId: account.id, filter, limit: 1, offset: 0, after: null })).total;

async function startChild(world: World, parent: Lease, pos: number): Promise<Lease> {
  return start(world, { parentId: parent.executionId, parentPos: pos, depth: 1 });
}

/** Contract: removal of single executions, and what retention asks. */
export function describeRunRemoval(subject: () => Subject): void {
  describe("removal of an execution", () => {
    const remove = ({ store, account }: World, executionId: string, accountId = account.id, results = true) =>
      store.removeExecution({ accountId, executionId, results });

    it("takes everything along that belongs to it, those it called too, and leaves the rest", async () => {
      const { world, reopen } = subject();
      const { store, account, workflow } = world;
      const parent = await start(world, { idempotencyKey: "i", cacheKey: "k" });
      const child = await startChild(world, parent, 0);
      const below = await startChild(world, child, 3);
      const other = await start(world);
      for (const lease of [parent, child, below, other]) {
        await store.appendJournal({ lease, records: Array.from({ length: 700 }, (_, seq) => entry(seq)) });
        await store.appendOutput({ lease, chunks: chunks(0, 3), logs: lines(0, 3) });
        await finish(world, lease);
      }
      const result = { executionId: null, output: "1", chunks: [], createdAt: T0, expiresAt: null };
      await store.writeResult({ key: "k", workflowId: workflow.id, result });

      expect(await remove(world, parent.executionId, "account-2")).toBeNull();
      expect(await remove(world, parent.executionId)).toEqual(["k"]);
      expect(await remove(world, parent.executionId)).toBeNull();

      const again = await reopen();
      for (const { executionId } of [parent, child, below]) {
        expect(await again.findExecution({ accountId: account.id, executionId })).toBeNull();
        expect(await again.readJournal({ executionId })).toEqual([]);
        expect(await again.readLogs({ executionId, from: 0, limit: 9 })).toEqual([]);
      }
      expect(await again.readJournal({ executionId: other.executionId })).toHaveLength(700);
      expect(await again.readResult({ key: "k", now: T0 })).toBeNull();
      expect(await totalOf({ ...world, store: again })).toBe(1);
      expect(await totalOf({ ...world, store: again }, { workflowId: workflow.id, statuses: ["completed"] })).toBe(1);
      const anew = await again.enqueue({ execution: execution(workflow, { idempotencyKey: "i" }) });
      expect(anew.created).toBe(true);
    });

    it("is refused to one that goes on", async () => {
      const { world } = subject();
      const lease = await start(world);
      expect(await remove(world, lease.executionId)).toBeNull();
      expect(await finish(world, lease)).toBe(true);
    });

    it("leaves cached results alone where they are not asked for", async () => {
      const { world } = subject();
      const { store, workflow } = world;
      const lease = await start(world, { cacheKey: "k" });
      await finish(world, lease);
      const result = { executionId: null, output: "1", chunks: [], createdAt: T0, expiresAt: null };
      await store.writeResult({ key: "k", workflowId: workflow.id, result });
      expect(await remove(world, lease.executionId, world.account.id, false)).toEqual([]);
      expect(await store.readResult({ key: "k", now: T0 })).not.toBeNull();
    });
  });

  describe("ended executions that nobody called", () => {
    it("are listed oldest first, and the newest few are told from the rest", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const ids: string[] = [];
      for (let at = 0; at < 5; at += 1) {
        const lease = await start(world, { createdAt: T0 + at });
        const child = await startChild(world, lease, 0);
        await finish(world, child);
        await finish(world, lease);
        ids.push(lease.executionId);
      }
      await start(world);
      const seen: string[] = [];
      let after: { createdAt: number; number: number } | null = null;
      do {
        const page = await store.listEndedRoots({ workflowId: workflow.id, after, limit: 3 });
        seen.push(...page.items.map((root) => root.id));
        expect(page.items.every((root) => root.accountId === account.id && root.finishedAt === T0 + 5)).toBe(true);
        after = page.next as typeof after;
      } while (after !== null);
      expect(seen).toEqual(ids);
      const kept = await store.oldestKept({ workflowId: workflow.id, keep: 2 });
      const place = await store.listEndedRoots({ workflowId: workflow.id, after: kept as never, limit: 50 });
      expect(kept?.createdAt).toBe(T0 + 3);
      expect(place.items.map((root) => root.id)).toEqual(ids.slice(4));
      expect(await store.oldestKept({ workflowId: workflow.id, keep: 5 })).toBeNull();
      expect(await store.oldestKept({ workflowId: "other", keep: 0 })).toBeNull();
      expect((await store.oldestKept({ workflowId: workflow.id, keep: 0 }))?.createdAt).toBe(Number.POSITIVE_INFINITY);
    });

    it("are found for every workflow of every account", async () => {
      const { world } = subject();
      const all = await world.store.listWorkflowIds({ after: 0, limit: 9 });
      expect(all).toEqual([{ number: world.workflow.number, id: world.workflow.id, accountId: world.account.id }]);
      expect(await world.store.listWorkflowIds({ after: world.workflow.number, limit: 9 })).toEqual([]);
    });
  });
}
