import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ExecutionFilter, ListPosition, NewExecution } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { DONE, execution, finish, NO_OUTPUT, start, T0, USAGE, type World, workflowParams } from "../fixtures.ts";

const FIRST = { offset: 0, after: null };

async function ended(
  world: World,
  at: number,
  changes: Partial<NewExecution> = {},
  more: object = {},
): Promise<string> {
  const one = execution(world.workflow, { createdAt: T0 + at, ...changes });
  const ending = { ...DONE, ...more };
  const times = { startedAt: T0 + at, finishedAt: T0 + at + 100 };
  await world.store.recordExecution({ execution: one, ending, ...times, usage: USAGE, ...NO_OUTPUT });
  return one.id;
}

const idsOf = async ({ store, account }: World, filter: ExecutionFilter, limit = 50) =>
  (await store.listExecutions({ accountId: account.id, filter, limit, ...FIRST })).items.map((item) => item.id);

/** Contract: lists of executions. */
export function describeLists(subject: () => Subject): void {
  describe("lists", () => {
    it("are newest first, by workflow and status, with totals that follow every change", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const other = await store.putWorkflow(workflowParams(account.id, { ref: "other", id: randomUUID() }));
      const ids: string[] = [];
      for (let at = 0; at < 6; at += 1) {
        const lease = await start({ ...world, workflow: at % 3 === 2 ? other : workflow });
        ids.unshift(lease.executionId);
        if (at % 2 === 0) await finish(world, lease);
      }
      const list = async (filter: ExecutionFilter, page = { limit: 10, offset: 0 }) => {
        const { items, total } = await store.listExecutions({ accountId: account.id, filter, ...page, after: null });
        return [items.map((item) => ids.indexOf(item.id)), total];
      };
      const { id: workflowId } = workflow;
      expect(await list({})).toEqual([[0, 1, 2, 3, 4, 5], 6]);
      expect(await list({}, { limit: 2, offset: 3 })).toEqual([[3, 4], 6]);
      expect(await list({ workflowId })).toEqual([[1, 2, 4, 5], 4]);
      expect(await list({ workflowId: other.id })).toEqual([[0, 3], 2]);
      expect(await list({ statuses: ["completed"] })).toEqual([[1, 3, 5], 3]);
      expect(await list({ workflowId, statuses: ["running", "failed"] })).toEqual([[2, 4], 2]);
      expect(await list({ statuses: ["failed"] })).toEqual([[], 0]);
      expect(await list({ statuses: [] })).toEqual([[], 0]);
      const strange = { accountId: "account-2", filter: { workflowId }, limit: 9, ...FIRST };
      expect(await store.listExecutions(strange)).toEqual({ items: [], total: 0, next: null });
    });

    it("have no data and no outputs", async () => {
      const { world } = subject();
      const executionId = await ended(world, 0);
      const { items } = await world.store.listExecutions({
        accountId: world.account.id,
        filter: {},
        limit: 1,
        ...FIRST,
      });
      const found = await world.store.findExecution({ accountId: world.account.id, executionId });
      expect({ ...items[0], data: found?.data }).toEqual({ ...found, state: { ...found?.state, output: null } });
      expect(items[0]).not.toHaveProperty("data");
    });

    it("are narrowed down by every member of the filter", async () => {
      const { world } = subject();
      const plain = await ended(world, 0);
      const named = await ended(world, 1_000, { sessionId: "s", mode: "sync", parentId: plain, parentPos: 4 });
      const own = randomUUID();
      await ended(world, 2_000, { id: own, sessionId: own, createdAt: T0 + 2_000 }, { cached: true });
      const data = JSON.stringify({ input: 1, metadata: { tenant: "a", n: 5, on: true, "a.b": "c" } });
      const marked = await ended(world, 3_000, { data });
      const error = {
        code: "EXECUTION_FAILED",
        message: "m",
        details: { code: "mine", op: "chat.completions.create" },
      };
      const failed = await ended(world, 4_000, {}, { status: "failed", error });
      const only = (filter: ExecutionFilter) => idsOf(world, filter);

      expect(await only({ createdFrom: T0 + 3_000 })).toEqual([failed, marked]);
      expect(await only({ createdFrom: T0 + 1_000, createdBefore: T0 + 3_000 })).toEqual([own, named]);
      expect(await only({ finishedFrom: T0 + 3_100 })).toEqual([failed, marked]);
      expect(await only({ finishedBefore: T0 + 1_100, statuses: ["completed"] })).toEqual([plain]);
      expect(await only({ sessionId: "s" })).toEqual([named]);
      expect(await only({ sessionId: own })).toEqual([own]);
      expect(await only({ sessionId: named })).toEqual([]);
      expect(await only({ sessionId: "s", createdFrom: T0 + 1_001 })).toEqual([]);
      expect(await only({ parentId: plain })).toEqual([named]);
      expect(await only({ cached: true })).toEqual([own]);
      expect(await only({ mode: "sync" })).toEqual([named]);
      expect(await only({ minCostUsd: 0.02 })).toEqual([]);
      expect(await only({ minCostUsd: 0.01, maxCostUsd: 0.0125, cached: true })).toEqual([own]);
      expect(await only({ metadata: { tenant: "a", n: "5", on: "true", "a.b": "c" } })).toEqual([marked]);
      expect(await only({ metadata: { tenant: "b" } })).toEqual([]);
      expect(await only({ metadata: { toString: "a" } })).toEqual([]);
      for (const codes of [["EXECUTION_FAILED"], ["other", "mine"]]) {
        expect(await only({ error: { codes, opPrefix: null } })).toEqual([failed]);
      }
      expect(await only({ error: { codes: [], opPrefix: "chat." } })).toEqual([failed]);
      expect(await only({ error: { codes: ["INTERNAL"], opPrefix: "http." } })).toEqual([]);
    });

    it("show nothing of another account, whatever the filter", async () => {
      const { world } = subject();
      const parent = await ended(world, 0, { sessionId: "s" });
      await ended(world, 1, { sessionId: "s", parentId: parent, parentPos: 0 });
      const filters: ExecutionFilter[] = [{}, { sessionId: "s" }, { parentId: parent }, { finishedFrom: 0 }];
      for (const filter of [...filters, { sessionId: parent }, { cached: false }]) {
        const page = await world.store.listExecutions({ accountId: "account-2", filter, limit: 9, ...FIRST });
        expect(page.items).toEqual([]);
      }
    });

    it.each<[string, ExecutionFilter]>([
      ["everything", {}],
      ["what an index does not know", { cached: false }],
      ["ends", { finishedFrom: 0 }],
      ["a session", { sessionId: "s" }],
    ])("go on where the page before ended, whatever is added or removed meanwhile: %s", async (_name, filter) => {
      const { world } = subject();
      const { store, account } = world;
      const ids: string[] = [];
      for (let at = 0; at < 9; at += 1) ids.unshift(await ended(world, Math.floor(at / 2), { sessionId: "s" }));
      const seen: string[] = [];
      let after: ListPosition | null = null;
      for (let at = 10; ; at += 1) {
        const page = await store.listExecutions({ accountId: account.id, filter, limit: 2, offset: 0, after });
        seen.push(...page.items.map((item) => item.id));
        if (page.next === null) break;
        after = page.next;
        await ended(world, at, { sessionId: "s" });
      }
      expect(seen).toEqual(ids);
    });

    it("look at a bounded number of rows per page for what is rare, and go on", async () => {
      const { world } = subject();
      const { store, account } = world;
      const rare = await ended(world, 0, { mode: "sync" });
      await Promise.all(Array.from({ length: 10_500 }, (_, at) => ended(world, 1 + at)));
      const found: string[] = [];
      let pages = 0;
      for (let after: ListPosition | null = null; ; pages += 1) {
        const page = await store.listExecutions({
          accountId: account.id,
          filter: { mode: "sync" },
          limit: 5,
          offset: 0,
          after,
        });
        found.push(...page.items.map((item) => item.id));
        if (page.next === null) break;
        after = page.next;
      }
      expect(found).toEqual([rare]);
      expect(pages).toBeGreaterThan(0);
    });
  });
}
