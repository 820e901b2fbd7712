import { describe, expect, it } from "vitest";
import type { Lease } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { claim, finish, STOPPED, start, T0, type World } from "../fixtures.ts";
import { dataOf, park, send, waitFor } from "../waiting.ts";

async function startMany(world: World, count: number): Promise<Lease[]> {
  const leases = await Promise.all(Array.from({ length: count }, () => start(world)));
  await Promise.all(leases.map((lease) => waitFor(world, lease, 0)));
  return leases;
}

const answersOf = (world: World, leases: readonly Lease[], pos = 0) =>
  Promise.all(leases.map(async (lease) => dataOf(await waitFor(world, lease, pos))));

/** Contract: events. */
export function describeEvents(subject: () => Subject): void {
  describe("events", () => {
    it("reach every execution of the account that waits for the name, each once", async () => {
      const { world } = subject();
      const leases = await startMany(world, 3);
      await waitFor(world, leases[0] as Lease, 1);
      expect(await send(world, 1, { accountId: "other" })).toMatchObject({ reached: 0 });
      expect(await send(world, 1, { name: "unpaid" })).toMatchObject({ reached: 0 });
      expect(await send(world, 1)).toMatchObject({ reached: 3, done: true });
      expect(await answersOf(world, leases)).toEqual([1, 1, 1]);
      expect(await send(world, 2)).toMatchObject({ reached: 1 });
      expect(await answersOf(world, leases.slice(0, 1), 1)).toEqual([2]);
    });

    it("for one execution reach no other, and are kept in order until it waits", async () => {
      const { world } = subject();
      const [one, two] = (await startMany(world, 2)) as [Lease, Lease];
      const { executionId } = one;
      for (const data of [1, 2, 3]) await send(world, data, { executionId, id: `evt_${data}` });
      expect(await answersOf(world, [one], 0)).toEqual([1]);
      expect(dataOf(await waitFor(world, one, 1, { name: "other" }))).toBe("open");
      expect(await answersOf(world, [one], 2)).toEqual([2]);
      await world.store.closeWaits({ lease: one, waits: [{ kind: "event", pos: 2 }], now: T0 });
      expect(await answersOf(world, [one], 3)).toEqual([3]);
      expect(await answersOf(world, [one], 4)).toEqual(["open"]);
      expect(await answersOf(world, [two])).toEqual(["open"]);
    });

    it("for one execution pass over a kept one that does not match", async () => {
      const { world } = subject();
      const lease = await start(world);
      const { executionId } = lease;
      for (const n of [1, 2]) await send(world, { n }, { executionId });
      expect(dataOf(await waitFor(world, lease, 0, { match: { n: 2 } }))).toEqual({ n: 2 });
      expect(dataOf(await waitFor(world, lease, 1))).toEqual({ n: 1 });
    });

    it("are kept for their time for waits that begin later, for each execution once", async () => {
      const { world } = subject();
      const [early] = (await startMany(world, 1)) as [Lease];
      expect(await send(world, 1, { keepUntil: T0 + 10 })).toMatchObject({ reached: 1 });
      const late = await start(world);
      expect(dataOf(await waitFor(world, late, 0, { now: T0 + 9 }))).toBe(1);
      expect(dataOf(await waitFor(world, late, 1, { now: T0 + 9 }))).toBe("open");
      expect(dataOf(await waitFor(world, early, 1, { now: T0 + 9 }))).toBe("open");
      const tooLate = await start(world);
      expect(dataOf(await waitFor(world, tooLate, 0, { now: T0 + 10 }))).toBe("open");
    });

    it("are not kept without a time", async () => {
      const { world } = subject();
      await send(world, 1);
      expect(await startMany(world, 1).then((leases) => answersOf(world, leases))).toEqual(["open"]);
    });

    it("under an id are sent once; another event under it is a conflict", async () => {
      const { world, reopen } = subject();
      await startMany(world, 2);
      const same = { id: "mine", idUntil: T0 + 10 };
      expect(await send(world, 1, same)).toMatchObject({ reached: 2, repeated: false });
      await startMany(world, 1);
      expect(await send(world, 1, { ...same, at: T0 + 5 })).toMatchObject({
        reached: 2,
        repeated: true,
        at: T0,
        live: [],
      });
      const again = { ...world, store: await reopen() };
      expect(await send(again, 1, same)).toMatchObject({ repeated: true });
      await expect(send(again, 2, same)).rejects.toMatchObject({ code: "CONFLICT", details: { param: "id" } });
      expect(await send(again, 2, { ...same, at: T0 + 10, idUntil: T0 + 20 })).toMatchObject({ repeated: false });
    });

    it("go on in portions, behind earlier ones of the name, and not to waits that began later", async () => {
      const { world, reopen } = subject();
      const leases = await startMany(world, 5);
      const first = await send(world, 1, { max: 2 });
      expect(first).toMatchObject({ reached: 2, done: false });
      const late = await start(world);
      await waitFor(world, late, 0);
      const second = await send(world, 2, { max: 100, id: "second" });
      expect(second).toMatchObject({ reached: 0, done: false });

      const store = await reopen();
      const again = { ...world, store };
      const left = await store.unfinishedEvents();
      expect(left.map(({ event }) => event)).toEqual([first.event, second.event]);
      const go = (event: number) => store.continueEvent({ event, max: 2, now: T0 });
      expect(await go(first.event)).toMatchObject({ reached: 4, done: false });
      expect(await go(first.event)).toMatchObject({ reached: 5, done: true });
      expect(await go(first.event)).toBeNull();
      expect(await go(second.event)).toMatchObject({ reached: 1, done: true });
      expect(await store.unfinishedEvents()).toEqual([]);
      expect(await answersOf(again, leases)).toEqual([1, 1, 1, 1, 1]);
      expect(await answersOf(again, [late])).toEqual([2]);
    });

    it("for an unknown, a foreign or an ended execution are refused", async () => {
      const { world } = subject();
      const lease = await start(world);
      const { executionId } = lease;
      const unknown = { code: "EXECUTION_NOT_FOUND" };
      await expect(send(world, 1, { executionId: "nope" })).rejects.toMatchObject(unknown);
      await expect(send(world, 1, { executionId, accountId: "other" })).rejects.toMatchObject(unknown);
      await finish(world, lease);
      await expect(send(world, 1, { executionId })).rejects.toMatchObject({ code: "CONFLICT" });
    });

    it("find the waits that they match among many, by whatever path these look at", async () => {
      const { world } = subject();
      const matches = [
        { n: 1 },
        { n: 2 },
        { "a.b": "1" },
        { deep: [1], n: 1 },
        { deep: [1] },
        { deep: [2] },
        ...Array.from({ length: 25 }, (_, n) => ({ [`p${n}`]: n })),
      ];
      const leases = await Promise.all(matches.map(() => start(world)));
      await Promise.all(leases.map((lease, at) => waitFor(world, lease, 0, { match: matches[at] ?? {} })));
      const reach = async (data: unknown) => {
        await send(world, data);
        const answers = await answersOf(world, leases);
        return answers.flatMap((answer, at) =>
          answer === "open" || JSON.stringify(answer) !== JSON.stringify(data) ? [] : [at],
        );
      };
      expect(await reach({ n: 1, deep: [1] })).toEqual([0, 3, 4]);
      expect(await reach({ n: "2", a: { b: 1 }, p3: "3" })).toEqual([]);
      expect(await reach({ n: 2, a: { b: "1" }, deep: [2], p3: 3, p24: 24 })).toEqual([1, 2, 5, 9, 30]);
    });

    it("that are kept are limited per name, naming limit and value", async () => {
      const { world } = subject();
      const { executionId } = await start(world);
      const kept = { keepUntil: T0 + 10 };
      for (const target of [{}, { executionId }]) {
        for (let n = 0; n < 3; n += 1) await send(world, n, { ...kept, ...target });
        const refused = expect(send(world, 4, { ...kept, ...target })).rejects;
        await refused.toMatchObject({ code: "RATE_LIMITED", details: { limit: "maxKeptEvents", value: 3 } });
        await send(world, 4, { ...kept, ...target, name: "other" });
      }
    });

    it("that are kept are limited by their bytes, which a wait looks into", async () => {
      const { world } = subject();
      const large = "x".repeat(7 * 1024 * 1024);
      const kept = { keepUntil: T0 + 10 };
      for (let n = 0; n < 2; n += 1) await send(world, large, kept);
      const refused = expect(send(world, large, kept)).rejects;
      await refused.toMatchObject({ code: "RATE_LIMITED", details: { limit: "MAX_KEPT_BYTES" } });
      await send(world, "small", kept);
    });

    it("leave nothing behind once they are recorded, expired or their execution is gone", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const leases = (await startMany(world, 3)) as [Lease, Lease, Lease];
      await send(world, 1, { keepUntil: T0 + 10, id: "mine", idUntil: T0 + 10 });
      await send(world, 2, { executionId: leases[0].executionId });
      await store.closeWaits({ lease: leases[0], waits: [{ kind: "event", pos: 0 }], now: T0 });
      await finish(world, leases[0]);
      await park(world, leases[1]);
      const { executionId } = leases[1];
      await store.cancelExecution({ accountId: account.id, executionId, now: T0, error: STOPPED });
      const prune = () => store.pruneEvents({ now: T0 + 10, max: 2 });
      expect(await prune()).toBe(1);
      await store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id });
      while ((await prune()) > 0);
      expect(await prune()).toBe(0);
      expect(await claim(world)).toEqual([]);
    });
  });
}
