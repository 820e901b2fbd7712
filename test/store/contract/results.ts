import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { chunks, DONE, execution, NO_OUTPUT, T0, USAGE } from "../fixtures.ts";

const result = (output: string, expiresAt: number | null = null) => ({
  executionId: "origin",
  output,
  chunks: [],
  createdAt: T0,
  expiresAt,
});

/** Contract: cached results. */
export function describeResults(subject: () => Subject): void {
  describe("cached results", () => {
    it("are read with their chunks until they expire, across reopening", async () => {
      const { world, reopen } = subject();
      const kept = { executionId: null, output: null, chunks: chunks(0, 3), createdAt: T0, expiresAt: T0 + 10 };
      await world.store.writeResult({ key: "k", workflowId: world.workflow.id, result: kept });
      const store = await reopen();
      expect(await store.readResult({ key: "k", now: T0 + 9 })).toEqual(kept);
      expect(await store.readResult({ key: "k", now: T0 + 10 })).toBeNull();
      expect(await store.readResult({ key: "other", now: T0 })).toBeNull();
    });

    it("are tied to the execution that made them, and so are those that were answered with them", async () => {
      const { world, reopen } = subject();
      const { account, workflow } = world;
      const [hit, waited, own] = [execution(workflow), execution(workflow), execution(workflow)];
      await world.store.recordHits({
        hits: [{ execution: hit, resultOf: "origin", output: "1", chunks: [], finishedAt: T0 }],
      });
      const times = { startedAt: T0, finishedAt: T0, usage: USAGE, ...NO_OUTPUT };
      const cached = { status: "completed", output: "1", cached: true, resultOf: "origin" } as const;
      await world.store.recordExecution({ execution: waited, ending: cached, ...times });
      await world.store.recordExecution({ execution: own, ending: DONE, ...times });
      const store = await reopen();
      const of = (executionId: string, accountId = account.id) => store.resultOf({ accountId, executionId });
      expect([await of(hit.id), await of(waited.id), await of(own.id)]).toEqual(["origin", "origin", null]);
      expect([await of(hit.id, "other"), await of("unknown")]).toEqual([null, null]);
    });

    it("are replaced under the same key", async () => {
      const { store, workflow } = subject().world;
      for (const text of ["1", "2"])
        await store.writeResult({ key: "k", workflowId: workflow.id, result: result(text) });
      expect(await store.readResult({ key: "k", now: T0 })).toEqual(result("2"));
    });

    it("are pruned: expired ones first, then the oldest beyond the size, a portion at a time", async () => {
      const { store, workflow } = subject().world;
      const text = "x".repeat(1_000);
      for (const key of ["a", "b", "c", "d"])
        await store.writeResult({ key, workflowId: workflow.id, result: result(text) });
      for (const key of ["e", "f"])
        await store.writeResult({ key, workflowId: workflow.id, result: result(text, T0 + 5) });
      const prune = (maxBytes: number, max: number) => store.pruneResults({ now: T0 + 5, maxBytes, max });
      expect(await prune(1e9, 1)).toBe(1);
      expect(await prune(1e9, 9)).toBe(1);
      expect(await prune(1e9, 9)).toBe(0);
      expect(await prune(2_500, 9)).toBe(2);
      const left = await Promise.all(["a", "b", "c", "d"].map((key) => store.readResult({ key, now: T0 })));
      expect(left.map((one) => one !== null)).toEqual([false, false, true, true]);
      expect(await prune(0, 9)).toBe(2);
      expect(await prune(0, 9)).toBe(0);
    });
  });
}
