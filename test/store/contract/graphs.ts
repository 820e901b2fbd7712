import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Workflow } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { CODE, entry, finish, start, T0, version, type World, workflowParams } from "../fixtures.ts";

const OTHER = "account-2";

const keyOf = ({ accountId, id: workflowId }: Workflow) => ({ accountId, workflowId });

function make({ store, account }: World, ref: string, accountId = account.id): Promise<Workflow> {
  return store.putWorkflow(workflowParams(accountId, { id: randomUUID(), ref, name: `The ${ref}` }));
}

const page = {
  withPublic: false,
  category: null,
  query: null,
  sort: "created_at",
  order: "desc",
  limit: 10,
  offset: 0,
} as const;

/** Contract of graphs. */
export function describeGraphs(subject: () => Subject): void {
  describe("graphs", () => {
    it("have facts that are changed member by member, also across a restart", async () => {
      const { world, reopen } = subject();
      const workflow = await make(world, "facts");
      const key = keyOf(workflow);
      expect(await world.store.findGraphFacts(key)).toBeNull();
      const first = await world.store.putGraph({ ...key, dialect: "motte", category: "x" });
      expect(first).toEqual({
        ...{ ...key, dialect: "motte", category: "x", isPublic: false, color: null, variables: "{}" },
        ...{ deployed: false, publishedVersionId: null, armedUntil: null, revision: 0, label: "1.0" },
      });
      await world.store.putGraph({ ...key, isPublic: true, revision: 2, label: "1.1" });
      const store = await reopen();
      const expected = { ...first, isPublic: true, revision: 2, label: "1.1" };
      expect(await store.findGraphFacts(key)).toEqual(expected);
      expect(await store.findGraphFacts({ ...key, accountId: OTHER })).toBeNull();
      const wrong = store.putGraph({ workflowId: key.workflowId, accountId: OTHER });
      await expect(wrong).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    });

    it("have a document per version, which is replaced, and all goes with the workflow", async () => {
      const { world } = subject();
      const { store } = world;
      const workflow = await make(world, "documents");
      const key = keyOf(workflow);
      const stored = version(workflow);
      const versionId = stored.id;
      await store.addVersion({ version: stored, code: CODE, activate: true });
      const trigger = { id: randomUUID(), nodeId: "hook", secret: "s", singleUse: true };
      await store.putGraph({ ...key, document: { versionId, text: "{}" }, triggers: [trigger] });
      await store.putGraph({ ...key, document: { versionId, text: '{"a":1}' } });
      expect(await store.graphDocument({ accountId: key.accountId, versionId })).toBe('{"a":1}');
      expect(await store.graphDocument({ accountId: OTHER, versionId })).toBeNull();
      expect(await store.findTrigger({ triggerId: trigger.id })).toEqual({ ...trigger, ...key });
      await store.deleteWorkflow(key);
      expect(await store.graphDocument({ accountId: key.accountId, versionId })).toBeNull();
      expect(await store.findTrigger({ triggerId: trigger.id })).toBeNull();
      expect(await store.findGraphFacts(key)).toBeNull();
    });

    it("keep the ids of triggers to one workflow", async () => {
      const { world } = subject();
      const { store } = world;
      const [first, second] = [await make(world, "one"), await make(world, "two")];
      const trigger = { id: randomUUID(), nodeId: "hook", secret: "s", singleUse: false };
      await store.putGraph({ ...keyOf(first), triggers: [trigger] });
      const taken = store.putGraph({ ...keyOf(second), triggers: [trigger] });
      await expect(taken).rejects.toMatchObject({ code: "CONFLICT" });
      expect(await store.findTrigger({ triggerId: trigger.id })).toMatchObject({ workflowId: first.id });
      await store.putGraph({ ...keyOf(first), triggers: [] });
      expect(await store.findTrigger({ triggerId: trigger.id })).toBeNull();
    });

    it("let one of many take the open window, and nobody once it has passed", async () => {
      const { world } = subject();
      const { store } = world;
      const key = keyOf(await make(world, "armed"));
      await store.putGraph({ ...key, armedUntil: T0 + 10 });
      const take = (now: number) => store.takeArm({ workflowId: key.workflowId, now });
      const taken = await Promise.all([take(T0), take(T0), take(T0)]);
      expect(taken.filter(Boolean)).toHaveLength(1);
      await store.putGraph({ ...key, armedUntil: T0 + 10 });
      expect(await take(T0 + 10)).toBe(false);
    });

    it("are listed by account, category and name, and with public ones of others", async () => {
      const { world } = subject();
      const { store, account } = world;
      const listed = async (more: object) => {
        const { items, total } = await store.listGraphs({ ...page, accountId: account.id, ...more });
        return [items.map(({ workflow }) => workflow.ref), total];
      };
      const before = (await listed({}))[1] as number;
      const [a, b] = [await make(world, "alpha"), await make(world, "beta")];
      const shared = await make(world, "shared", OTHER);
      await make(world, "hidden", OTHER);
      await store.putGraph({ ...keyOf(a), category: "c" });
      await store.putGraph({ ...keyOf(shared), category: "c", isPublic: true });
      expect((await listed({}))[1]).toBe(before + 2);
      expect(await listed({ category: "c" })).toEqual([["alpha"], 1]);
      expect(await listed({ category: "c", withPublic: true, sort: "name", order: "asc" })).toEqual([
        ["alpha", "shared"],
        2,
      ]);
      expect(await listed({ query: "BETA" })).toEqual([[b.ref], 1]);
      expect(await store.findPublicGraph({ workflowId: shared.id })).toMatchObject({ workflow: { ref: "shared" } });
      expect(await store.findPublicGraph({ workflowId: a.id })).toBeNull();
    });

    it("count runs and stars", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const key = { accountId: account.id, workflowId: workflow.id };
      expect(await store.runCounts(key)).toEqual({ runs: 0, finished: 0, completed: 0, meanMs: 0, lastRunAt: null });
      await finish(world, await start(world));
      await start(world, { id: randomUUID() });
      const counts = await store.runCounts(key);
      expect(counts).toMatchObject({ runs: 2, finished: 1, completed: 1 });
      expect(counts.lastRunAt).toBeGreaterThan(0);
      await expect(store.runCounts({ ...key, accountId: OTHER })).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
      await store.rateWorkflow({ ...key, stars: 2 });
      await store.rateWorkflow({ ...key, stars: 4 });
      expect(await store.rateWorkflow({ ...key, accountId: OTHER, stars: 5 })).toEqual({ mean: 4.5, count: 2 });
      expect(await store.ratingOf(key)).toEqual({ mean: 4.5, count: 2 });
    });

    it("sum what the calls of each node used", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world);
      const meter = {
        startedAt: T0,
        durationMs: 1,
        attempts: 1,
        promptTokens: 3,
        completionTokens: 4,
        costUsd: 0.25,
        model: "m",
      };
      const records = [
        entry(0, { meter: { ...meter, node: "a" } }),
        entry(1, { meter: { ...meter, node: "a" } }),
        entry(2, { meter }),
      ];
      await store.appendJournal({ lease, records });
      const { executionId } = lease;
      const sums = await store.usageByNode({ accountId: account.id, executionId });
      expect([...sums]).toEqual([["a", { promptTokens: 6, completionTokens: 8, costUsd: 0.5 }]]);
      expect((await store.usageByNode({ accountId: OTHER, executionId })).size).toBe(0);
      expect((await store.readJournal({ executionId })).map((one) => one.meter?.node)).toEqual(["a", "a", undefined]);
    });
  });
}
