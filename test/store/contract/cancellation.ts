import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { execution, T0, USAGE } from "../fixtures.ts";

/** Contract: ending what waits below an execution. */
export function describeCancellation(subject: () => Subject): void {
  describe("waiting children", () => {
    const error = { code: "EXECUTION_CANCELLED", message: "stopped", details: {} } as const;

    it("are ended in portions, and only those: of this parent, of this account, and waiting", async () => {
      const { store, account, workflow } = subject().world;
      const child = async (parentId: string, parentPos: number, waits: boolean) => {
        const made = execution(workflow, { parentId, parentPos });
        const start = { execution: made, startedAt: T0, worker: "w", leaseMs: 1_000 };
        const lease = await store.startExecution(start);
        const park = {
          lease,
          until: Number.MAX_SAFE_INTEGER,
          sleeps: [],
          calls: null,
          shortage: null,
          usage: USAGE,
          chunks: [],
          logs: [],
        };
        if (waits) await store.waitExecution(park);
        return made.id;
      };
      const waiting = [await child("p", 0, true), await child("p", 1, true), await child("p", 2, true)];
      const running = await child("p", 3, false);
      const elsewhere = await child("q", 0, true);
      const params = { parentId: "p", now: T0 + 1, error, max: 2 };
      expect(await store.cancelWaitingChildren({ ...params, accountId: "stranger" })).toEqual([]);
      const first = await store.cancelWaitingChildren({ ...params, accountId: account.id });
      const second = await store.cancelWaitingChildren({ ...params, accountId: account.id });
      expect(await store.cancelWaitingChildren({ ...params, accountId: account.id })).toEqual([]);
      expect([...first, ...second].toSorted()).toEqual(waiting.toSorted());
      const statusOf = async (executionId: string) =>
        (await store.findExecution({ accountId: account.id, executionId }))?.state.status;
      expect(await statusOf(waiting[0] ?? "")).toBe("cancelled");
      expect(await statusOf(running)).toBe("running");
      expect(await statusOf(elsewhere)).toBe("waiting");
    });
  });
}
