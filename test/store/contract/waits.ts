import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { claim, finish, start, T0 } from "../fixtures.ts";
import { dataOf, park, send, waitFor } from "../waiting.ts";

/** Contract: what executions wait for. */
export function describeWaits(subject: () => Subject): void {
  describe("waits", () => {
    it("stay open until an event comes, and keep its answer until it is recorded", async () => {
      const { world, reopen } = subject();
      const lease = await start(world);
      expect(await waitFor(world, lease, 0)).toEqual({ status: "open" });
      expect(await send(world, 7)).toMatchObject({ reached: 1 });
      const answer = JSON.stringify({ name: "paid", data: 7, id: "evt", at: T0 });
      expect(await waitFor(world, lease, 0)).toEqual({ status: "answered", answer });
      const store = await reopen();
      const again = { ...world, store };
      expect(await waitFor(again, lease, 0)).toEqual({ status: "answered", answer });
      await store.closeWaits({ lease, waits: [{ kind: "event", pos: 0 }], now: T0 });
      expect(await waitFor(again, lease, 0)).toEqual({ status: "open" });
    });

    it("match dotted paths exactly, and nothing that only looks alike", async () => {
      const { world } = subject();
      const lease = await start(world);
      await waitFor(world, lease, 0, { match: { "order.id": 7, "order.items.0": { a: [1], b: null } } });
      const items = [{ b: null, a: [1] }];
      for (const order of [{ id: "7", items }, { id: 7 }, { id: 7, items: [{ a: [1] }] }, null, [7]]) {
        expect(await send(world, { order })).toMatchObject({ reached: 0 });
      }
      for (const data of [null, "order", { __proto__: { order: { id: 7, items } } }]) {
        expect(await send(world, data)).toMatchObject({ reached: 0 });
      }
      expect(await send(world, { order: { id: 7, items, more: 1 } })).toMatchObject({ reached: 1 });
    });

    it("make a parked execution claimable when an event comes, and at their time at the latest", async () => {
      const { world } = subject();
      const lease = await start(world);
      await waitFor(world, lease, 0);
      expect(await park(world, lease)).toBe("parked");
      expect(await world.store.nextDue()).toBeNull();
      expect(await claim(world, { now: T0 + 1e12 })).toEqual([]);
      await send(world, 1);
      expect(await claim(world)).toMatchObject([{ id: lease.executionId, fence: 2 }]);
      await expect(waitFor(world, lease, 0)).rejects.toMatchObject({ code: "CONFLICT" });
      expect(dataOf(await waitFor(world, { ...lease, fence: 2 }, 0))).toBe(1);
    });

    it("let an execution that parks too late go on at once", async () => {
      const { world } = subject();
      const lease = await start(world);
      await waitFor(world, lease, 0);
      expect((await send(world, 1)).live).toMatchObject([{ executionId: lease.executionId, wait: { pos: 0 } }]);
      expect(await park(world, lease)).toBe("ready");
      expect(await claim(world)).toHaveLength(1);
    });

    it("expire, and get no event from then on", async () => {
      const { world } = subject();
      const lease = await start(world);
      await waitFor(world, lease, 0, { until: T0 + 10 });
      expect(await send(world, 1, { at: T0 + 10, keepUntil: T0 })).toMatchObject({ reached: 0 });
      expect(await waitFor(world, lease, 0, { now: T0 + 9 })).toEqual({ status: "open" });
      expect(await waitFor(world, lease, 0, { now: T0 + 10 })).toEqual({ status: "expired" });
    });

    it("are limited per execution, naming limit and value", async () => {
      const { world } = subject();
      const lease = await start(world);
      for (let pos = 0; pos < 5; pos += 1) await waitFor(world, lease, pos);
      const refused = expect(waitFor(world, lease, 5)).rejects;
      await refused.toMatchObject({ code: "LIMIT_EXCEEDED", details: { limit: "maxWaits", value: 6 } });
    });

    it("are listed for their own account, in the order of the calls, until the execution ends", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world);
      await waitFor(world, lease, 1, { name: "b", until: T0 + 5 });
      await waitFor(world, lease, 0, { name: "a" });
      const { executionId } = lease;
      const list = (accountId: string) => store.listWaits({ accountId, executionId });
      expect(await list(account.id)).toEqual([
        { kind: "event", name: "a", since: T0, until: null, approvalId: null },
        { kind: "event", name: "b", since: T0, until: T0 + 5, approvalId: null },
      ]);
      expect(await list("other")).toEqual([]);
      await finish(world, lease);
      expect(await list(account.id)).toEqual([]);
    });
  });
}
