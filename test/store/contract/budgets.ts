import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Lease, Store } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { claim, execution, finish, LEASE_MS, NO_OUTPUT, STOPPED, start, T0, USAGE } from "../fixtures.ts";

const DAY = 86_400_000;
const LIMITS = { nanoUsd: 1_000, tokens: 100, calls: 3 };
const NONE = { nanoUsd: null, tokens: null, calls: null };
const NO_USE = { nanoUsd: 0, tokens: 0, calls: 0 };
const budget = { limits: LIMITS, key: null, above: [], usd: true };
const worst = (nanoUsd: number, tokens = 10) => ({ nanoUsd, tokens, calls: 1 });

interface Ask {
  readonly cost?: ReturnType<typeof worst>;
  readonly now?: number;
}

const ask = (store: Store, lease: Lease, pos: number, { cost = worst(400), now = T0 }: Ask = {}) =>
  store.reserve({ lease, request: { pos, slot: 0, worst: cost }, now });
const ticketOf = async (answer: ReturnType<Store["reserve"]>): Promise<number> => {
  const { ticket } = await answer;
  if (ticket === null) throw new Error("it was refused");
  return ticket;
};

/** Parks an execution for want of what a call at `pos` may cost. */
async function park(store: Store, lease: Lease, pos: number): Promise<void> {
  const refused = await ask(store, lease, pos);
  if (refused.ticket !== null) throw new Error("it was granted");
  const { shortage } = refused;
  const parked = { lease, until: null, sleeps: [], calls: null, shortage, usage: USAGE, ...NO_OUTPUT };
  expect(await store.waitExecution(parked)).toBe("parked");
}

/** Contract: budgets. */
export function describeBudgets(subject: () => Subject): void {
  describe("budgets", () => {
    const balance = async (store: Store, { executionId }: Lease) =>
      store.readBalance({ accountId: subject().world.account.id, executionId });

    it("grants what fits, counts what it cost, and refuses the rest", async () => {
      const { world } = subject();
      const { store } = world;
      const lease = await start(world, { budget });
      const first = await ticketOf(ask(store, lease, 0));
      await ticketOf(ask(store, lease, 1));
      expect(await ask(store, lease, 2)).toMatchObject({
        ticket: null,
        passing: true,
        shortage: {
          unit: "nanoUsd",
          of: { executionId: lease.executionId },
          limit: 1_000,
          spent: 0,
          reserved: 800,
          needed: 400,
          until: null,
        },
      });
      await store.settle({ ticket: first, cost: worst(250, 7) });
      await store.settle({ ticket: first, cost: worst(250, 7) });
      expect(await balance(store, lease)).toEqual({
        limits: LIMITS,
        spent: { nanoUsd: 250, tokens: 7, calls: 1 },
        reserved: { nanoUsd: 400, tokens: 10, calls: 1 },
      });
      expect(await ask(store, lease, 3, { cost: worst(800) })).toMatchObject({ ticket: null, passing: false });
      expect(await ask(store, lease, 4, { cost: worst(350) })).toMatchObject({ ticket: expect.any(Number) });
      expect(await ask(store, lease, 5, { cost: worst(0) })).toMatchObject({ shortage: { unit: "calls" } });
    });

    it("lets a repeated call take its reservation over, also after reopening, and ignores what the lost one says", async () => {
      const { world, reopen } = subject();
      const lease = await start(world, { budget: { ...budget, limits: { ...NONE, calls: 1 } } });
      const lost = await ticketOf(ask(world.store, lease, 0));
      const store = await reopen();
      const again = await ticketOf(ask(store, lease, 0));
      expect(again).not.toBe(lost);
      await store.settle({ ticket: lost, cost: worst(1) });
      expect(await balance(store, lease)).toMatchObject({ spent: { calls: 0 }, reserved: { calls: 1 } });
      await store.settle({ ticket: again, cost: worst(1) });
      expect(await balance(store, lease)).toMatchObject({ spent: { calls: 1 }, reserved: { calls: 0 } });
    });

    it("refuses an old fence, and counts what is left of an ended execution as spent", async () => {
      const { world } = subject();
      const { store } = world;
      const lease = await start(world, { budget });
      await expect(ask(store, { ...lease, fence: 7 }, 0)).rejects.toMatchObject({ code: "CONFLICT" });
      await ticketOf(ask(store, lease, 0));
      const running = await start(world, { budget });
      await ticketOf(ask(store, running, 0));
      await finish(world, lease);
      await store.settleEnded({ executionId: null });
      expect(await balance(store, lease)).toMatchObject({ spent: { nanoUsd: 400 }, reserved: { nanoUsd: 0 } });
      expect(await balance(store, running)).toMatchObject({ spent: { nanoUsd: 0 }, reserved: { nanoUsd: 400 } });
      await store.removeExecution({ accountId: world.account.id, executionId: lease.executionId, results: false });
      expect(await balance(store, lease)).toBeNull();
    });

    it("spends for those above", async () => {
      const { world } = subject();
      const { store } = world;
      const root = await start(world, { budget });
      const below = { ...budget, limits: null, above: [root.executionId] };
      const child = await start(world, {
        budget: below,
        mode: "nested",
        parentId: root.executionId,
        parentPos: 0,
        depth: 1,
      });
      await ticketOf(ask(store, child, 0, { cost: worst(900) }));
      expect(await ask(store, root, 1)).toMatchObject({ ticket: null });
      expect(await balance(store, root)).toMatchObject({ reserved: { nanoUsd: 900 } });
      expect(await balance(store, child)).toBeNull();
    });

    it("wakes a parked execution once more is given, once per key, also if that was meanwhile", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world, { budget: { ...budget, limits: { ...NONE, calls: 0 } } });
      const refused = await ask(store, lease, 0);
      const shortage = refused.ticket === null ? refused.shortage : null;
      const park = (held: Lease) =>
        store.waitExecution({
          lease: held,
          until: null,
          sleeps: [],
          calls: null,
          shortage,
          usage: USAGE,
          ...NO_OUTPUT,
        });
      expect(await park(lease)).toBe("parked");
      const target = { accountId: account.id, executionId: lease.executionId };
      expect((await store.findExecution(target))?.state).toMatchObject({ status: "waiting", shortage });
      expect(
        await store.listShort({ workflowId: world.workflow.id, before: Date.now() + 1_000, limit: 9 }),
      ).toHaveLength(1);
      const add = (key: string | null, calls: number, accountId = account.id) =>
        store.topUp({
          accountId,
          target: { executionId: lease.executionId },
          add: { ...worst(0, 0), calls },
          idempotencyKey: key,
          now: T0,
        });
      await expect(add(null, 1, "a stranger")).rejects.toMatchObject({ code: "EXECUTION_NOT_FOUND" });
      expect(await claim(world)).toEqual([]);
      expect(await add("k", 2)).toMatchObject({ repeated: false });
      expect(await add("k", 2)).toMatchObject({ repeated: true });
      await expect(add("k", 3)).rejects.toMatchObject({ code: "CONFLICT" });
      expect(await balance(store, lease)).toMatchObject({ limits: { calls: 2 } });
      expect(await store.wakeFunded({ limit: 9, now: T0 })).toBe(true);
      const [again] = await claim(world, { now: T0 + 1 });
      expect(again).toMatchObject({ id: lease.executionId, resumedAt: T0 });
      // What it was refused for is older than what was given.
      expect(await park({ executionId: lease.executionId, fence: again?.fence ?? 0 })).toBe("ready");
      expect(await store.listShort({ workflowId: world.workflow.id, before: Date.now() + 1_000, limit: 9 })).toEqual(
        [],
      );
    });

    it("counts what is set aside as spent when its execution is ended or removed while nobody runs it", async () => {
      const { world } = subject();
      const { store, account } = world;
      const limits = { ...NONE, calls: 9 };
      await store.putPools({ accountId: account.id, pools: [{ key: null, limits }], now: T0 });
      const pool = async () => (await store.readPool({ accountId: account.id, key: null, now: T0 })) ?? null;
      const cancelled = await start(world);
      await ticketOf(ask(store, cancelled, 0));
      const late = T0 + LEASE_MS;
      await store.releaseOthers({ worker: "the next server" });
      const end = { accountId: account.id, executionId: cancelled.executionId, now: late, error: STOPPED };
      expect(await store.cancelExecution(end)).toBe(true);
      expect(await pool()).toMatchObject({ spent: { calls: 1 }, reserved: { calls: 0 } });
      const root = await start(world);
      const child = await start(world, { mode: "nested", parentId: root.executionId, parentPos: 0, depth: 1 });
      await ticketOf(ask(store, child, 0));
      await finish(world, root);
      await store.removeExecution({ accountId: account.id, executionId: root.executionId, results: false });
      expect(await pool()).toMatchObject({ spent: { calls: 2 }, reserved: { calls: 0 } });
    });

    it("wakes those that wait for a pool a few at a time, also after reopening", async () => {
      const { world, reopen } = subject();
      const { account } = world;
      const put = (store: Store, calls: number) =>
        store.putPools({ accountId: account.id, pools: [{ key: null, limits: { ...NONE, calls } }], now: T0 });
      await put(world.store, 0);
      for (let n = 0; n < 5; n++) await park(world.store, await start(world), 0);
      await put(world.store, 1);
      const store = await reopen();
      const wake = () => store.wakeFunded({ limit: 2, now: T0 });
      const claimed = async () => (await claim({ ...world, store })).length;
      for (const expected of [2, 2, 1]) {
        expect(await claimed()).toBe(0);
        expect(await wake()).toBe(true);
        expect(await claimed()).toBe(expected);
      }
      expect(await wake()).toBe(false);
    });

    it("says what an execution still lacks, as of what was given to others, and to nobody else", async () => {
      const { world } = subject();
      const { store, account } = world;
      const { executionId, fence } = await start(world, { budget: { ...budget, limits: { ...NONE, calls: 0 } } });
      const read = (accountId = account.id) => store.readShortage({ accountId, executionId });
      expect(await read()).toBeNull();
      await park(store, { executionId, fence }, 0);
      expect(await read("a stranger")).toBeNull();
      expect(await read()).toMatchObject({ pending: false, shortage: { revision: 0 } });
      await store.putPools({ accountId: account.id, pools: [{ key: null, limits: NONE }], now: T0 });
      expect(await read()).toMatchObject({ pending: true });
      while (await store.wakeFunded({ limit: 9, now: T0 }));
      expect(await read()).toMatchObject({ pending: false, shortage: { revision: 1 } });
      const add = { nanoUsd: 0, tokens: 0, calls: 1 };
      await store.topUp({ accountId: account.id, target: { executionId }, add, idempotencyKey: null, now: T0 });
      while (await store.wakeFunded({ limit: 9, now: T0 }));
      expect(await read()).toBeNull();
    });

    it("knows since when an execution has got no money, however often it asked", async () => {
      const { world } = subject();
      const { store, account } = world;
      const { executionId, fence } = await start(world, { budget: { ...budget, limits: { ...NONE, calls: 0 } } });
      const short = async (before: number) =>
        (await store.listShort({ workflowId: world.workflow.id, before, limit: 9 })).map(({ id }) => id);
      const give = async (calls: number): Promise<Lease> => {
        const add = { nanoUsd: 0, tokens: 0, calls };
        const given = { accountId: account.id, target: { executionId }, add, idempotencyKey: null, now: T0 };
        await store.topUp(given);
        await store.wakeFunded({ limit: 9, now: T0 });
        return { executionId, fence: (await claim(world))[0]?.fence ?? 0 };
      };
      await park(store, { executionId, fence }, 0);
      await sleep(5);
      const later = Date.now();
      await park(store, await give(0), 0);
      expect(await short(later)).toEqual([executionId]);
      const lease = await give(1);
      await ticketOf(ask(store, lease, 0));
      await park(store, lease, 1);
      expect(await short(later)).toEqual([]);
      expect(await short(Date.now() + 1_000)).toEqual([executionId]);
    });

    it("keeps a pool for each day and account, and for the keys of a name", async () => {
      const { world } = subject();
      const { store, account } = world;
      const limits = { ...NONE, calls: 1 };
      const put = (accountId: string, key: string | null, given: typeof limits | null) =>
        store.putPools({ accountId, pools: [{ key, limits: given }], now: T0 });
      await put(account.id, null, limits);
      await put("another", null, { ...NONE, calls: 5 });
      const lease = await start(world);
      const ticket = await ticketOf(ask(store, lease, 0));
      const refused = await ask(store, lease, 1);
      expect(refused).toMatchObject({
        passing: true,
        shortage: { of: { key: null }, until: (Math.floor(T0 / DAY) + 1) * DAY },
      });
      // It is settled in the day in which it was reserved.
      await ticketOf(ask(store, lease, 1, { cost: worst(1), now: T0 + DAY }));
      await store.settle({ ticket, cost: worst(5, 5) });
      const read = (now: number, accountId = account.id) => store.readPool({ accountId, key: null, now });
      expect(await read(T0)).toMatchObject({ spent: { calls: 1, tokens: 5 }, reserved: { calls: 0 } });
      expect(await read(T0 + DAY)).toMatchObject({ spent: { calls: 0 }, reserved: { calls: 1 } });
      expect(await read(T0, "another")).toMatchObject({ limits: { calls: 5 }, spent: { calls: 0 } });
      expect(await store.listPools()).toHaveLength(2);
      const keyed = await start(world, { budget: { limits: null, key: "ci", above: [], usd: false } });
      await put(account.id, null, null);
      await put(account.id, "ci", limits);
      await ticketOf(ask(store, keyed, 0));
      expect(await ask(store, keyed, 1)).toMatchObject({ ticket: null, shortage: { of: { key: "ci" } } });
      await ticketOf(ask(store, lease, 2));
      expect(await read(T0)).toBeNull();
    });

    it("sets aside in pools for calls outside executions, and counts those of a lost process as spent", async () => {
      const { world, reopen } = subject();
      const { store, account } = world;
      const pool = (key: string | null, calls: number) => ({ key, limits: { ...NONE, calls } });
      await store.putPools({ accountId: account.id, pools: [pool(null, 3), pool("ci", 2)], now: T0 });
      const wish = { accountId: account.id, key: "ci", worst: worst(400), now: T0 };
      const first = await ticketOf(store.reservePools(wish));
      await ticketOf(store.reservePools(wish));
      expect(await store.reservePools(wish)).toMatchObject({
        ticket: null,
        passing: true,
        shortage: { of: { key: "ci" }, needed: 1, reserved: 2, until: (Math.floor(T0 / DAY) + 1) * DAY },
      });
      expect(await store.reservePools({ ...wish, accountId: "a stranger" })).toMatchObject({ purses: [] });
      await ticketOf(store.reservePools({ ...wish, key: null }));
      await store.settle({ ticket: first, cost: { ...NO_USE, calls: 1 } });
      await store.settleEnded({ executionId: null });
      const again = await reopen();
      await again.settlePools();
      const read = (key: string | null) => again.readPool({ accountId: account.id, key, now: T0 });
      const spent = { nanoUsd: 800, tokens: 20, calls: 3 };
      expect(await read(null)).toMatchObject({ spent, reserved: NO_USE });
      expect(await read("ci")).toMatchObject({ spent: { nanoUsd: 400, tokens: 10, calls: 2 }, reserved: NO_USE });
    });

    it("gives the budget of an execution back as it was stored", async () => {
      const { world } = subject();
      const { id } = execution(world.workflow);
      await world.store.enqueue({ execution: execution(world.workflow, { id, budget }) });
      const params = { accountId: world.account.id, executionId: id };
      expect((await world.store.findExecution(params))?.budget).toEqual(budget);
      expect(await world.store.readBalance(params)).toMatchObject({ limits: LIMITS, spent: { calls: 0 } });
      expect(await world.store.readBalance({ ...params, accountId: "a stranger" })).toBeNull();
    });
  });
}
