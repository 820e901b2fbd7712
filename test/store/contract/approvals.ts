import { describe, expect, it } from "vitest";
import type { Lease, NewApproval, WaitStatus } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { claim, finish, start, T0, type World } from "../fixtures.ts";
import { park } from "../waiting.ts";

const DECISION = '{"approved":true}';

function ask({ store }: World, lease: Lease, more: Partial<NewApproval> = {}) {
  const approval = { id: "apr_1", pos: 0, title: "Refund?", detail: "{}", createdAt: T0, until: null, ...more };
  return store.openApproval({ lease, approval, maxOpen: 2 });
}

function waitOn({ store }: World, lease: Lease, id = "apr_1", now = T0): Promise<WaitStatus> {
  return store.openWait({ lease, wait: { kind: "approval", id }, maxOpen: 2, now });
}

function decide({ store, account }: World, more: { accountId?: string | null; now?: number } = {}) {
  return store.decideApproval({ accountId: account.id, approvalId: "apr_1", decision: DECISION, now: T0, ...more });
}

const statusOf = async ({ store, account }: World, now = T0) =>
  (await store.findApproval({ accountId: account.id, approvalId: "apr_1", now }))?.status;

/** Contract: questions to people. */
export function describeApprovals(subject: () => Subject): void {
  describe("approvals", () => {
    it("are asked once per position", async () => {
      const { world } = subject();
      const lease = await start(world);
      expect(await ask(world, lease, { until: T0 + 9 })).toEqual({ id: "apr_1", createdAt: T0, until: T0 + 9 });
      const again = await ask(world, lease, { id: "apr_2", createdAt: T0 + 1 });
      expect(again).toEqual({ id: "apr_1", createdAt: T0, until: T0 + 9 });
      await ask(world, lease, { id: "apr_3", pos: 1 });
      await expect(ask(world, lease, { id: "apr_4", pos: 2 })).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
      await expect(ask(world, { ...lease, fence: 9 })).rejects.toMatchObject({ code: "CONFLICT" });
    });

    it("are decided once, by their own account or the holder of the link", async () => {
      const { world } = subject();
      const lease = await start(world);
      await ask(world, lease);
      expect(await waitOn(world, lease)).toEqual({ status: "open" });
      expect(await decide(world, { accountId: "other" })).toBeNull();
      expect(await decide(world, { accountId: null })).toEqual({
        live: { executionId: lease.executionId, wait: { kind: "approval", id: "apr_1" }, answer: DECISION },
      });
      expect(await decide(world)).toBeNull();
      expect(await waitOn(world, lease)).toEqual({ status: "answered", answer: DECISION });
      await world.store.closeWaits({ lease, waits: [{ kind: "approval", id: "apr_1" }], now: T0 });
      expect(await statusOf(world)).toBe("decided");
      await finish(world, lease);
      expect(await statusOf(world)).toBe("decided");
    });

    it("make a parked execution claimable", async () => {
      const { world } = subject();
      const lease = await start(world);
      await ask(world, lease);
      await waitOn(world, lease);
      expect(await park(world, lease)).toBe("parked");
      expect(await decide(world)).toEqual({ live: null });
      expect(await claim(world)).toMatchObject([{ id: lease.executionId }]);
    });

    it("cannot be waited for by another execution", async () => {
      const { world } = subject();
      await ask(world, await start(world));
      await expect(waitOn(world, await start(world))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    });

    it("expire, and end with their execution", async () => {
      const { world } = subject();
      const lease = await start(world);
      await ask(world, lease, { until: T0 + 10 });
      expect(await statusOf(world, T0 + 9)).toBe("open");
      expect(await statusOf(world, T0 + 10)).toBe("expired");
      expect(await decide(world, { now: T0 + 10 })).toBeNull();
      expect(await waitOn(world, lease, "apr_1", T0 + 10)).toEqual({ status: "expired" });
      await finish(world, lease);
      expect(await statusOf(world)).toBe("over");
      expect(await decide(world)).toBeNull();
    });

    it("that are open are listed for their own account, oldest first", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const lease = await start(world);
      await ask(world, lease, { detail: '{"data":1}' });
      const other = await start(world);
      await ask(world, other, { id: "apr_2", createdAt: T0 + 1, until: T0 + 5 });
      const list = (more = {}) => store.listApprovals({ accountId: account.id, now: T0, limit: 5, offset: 0, ...more });
      const first = { id: "apr_1", title: "Refund?", detail: '{"data":1}', status: "open", decision: null };
      const owner = { accountId: account.id, executionId: lease.executionId, ref: workflow.ref };
      expect(await list()).toMatchObject({ total: 2, items: [{ ...first, ...owner }, { id: "apr_2" }] });
      expect((await list({ offset: 1 })).items.map(({ id }) => id)).toEqual(["apr_2"]);
      expect(await list({ now: T0 + 5 })).toMatchObject({ total: 1 });
      expect(await list({ accountId: "other" })).toEqual({ items: [], total: 0 });
      expect(await store.findApproval({ accountId: "other", approvalId: "apr_1", now: T0 })).toBeNull();
      await decide(world);
      await finish(world, other);
      expect(await list()).toEqual({ items: [], total: 0 });
    });
  });
}
