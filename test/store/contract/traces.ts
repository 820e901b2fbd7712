import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { claim, entry, LEASE_MS, NO_OUTPUT, start, T0, USAGE } from "../fixtures.ts";

const METER = {
  startedAt: T0,
  durationMs: 5,
  attempts: 2,
  promptTokens: 3,
  completionTokens: 4,
  costUsd: 0.5,
  model: "m",
};

/** Contract: what readers see of an execution's ops and waits. */
export function describeTraces(subject: () => Subject): void {
  describe("traces", () => {
    it("tell a text that was cut from a whole one, whatever its characters", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world);
      const { executionId } = lease;
      const payload = JSON.stringify("😀".repeat(100));
      await store.appendJournal({ lease, records: [entry(0, { payload })] });
      const read = async (maxChars: number) =>
        (await store.readTrace({ accountId: account.id, executionId, from: 0, limit: 1, maxChars })).entries[0]
          ?.payload;
      expect(await read(1_000)).toEqual({ text: payload, length: payload.length });
      expect(await read(102)).toEqual({ text: payload, length: payload.length });
      for (const maxChars of [0, 1, 60, 101]) {
        const cut = await read(maxChars);
        expect(payload.startsWith(cut?.text ?? "?")).toBe(true);
        expect(cut?.length).toBeGreaterThan(cut?.text.length ?? 0);
      }
    });

    it("have every finished op with arguments, result, costs and child, without parts", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world);
      const { executionId } = lease;
      const child = await start(world, { parentId: executionId, parentPos: 1 });
      const records = [
        entry(0, { kind: "part", pos: 0, payload: "[]" }),
        entry(1, { pos: 0, args: '{"a":"äöü"}', meter: METER, payload: '{"long":"0123456789"}' }),
        entry(2, { pos: 2, kind: "error", payload: '{"code":"X"}' }),
        entry(3, { pos: 1, op: "workflow.completions.create" }),
      ];
      await store.appendJournal({ lease, records });
      const read = (from: number, limit: number, maxChars = 100, accountId = account.id) =>
        store.readTrace({ accountId, executionId, from, limit, maxChars });
      const { entries, next } = await read(0, 10);
      expect(next).toBeNull();
      expect(entries).toEqual([
        {
          seq: 1,
          pos: 0,
          op: "http.request",
          kind: "result",
          at: T0 + 1,
          args: { text: '{"a":"äöü"}', length: 11 },
          payload: { text: '{"long":"0123456789"}', length: 21 },
          meter: METER,
          childId: null,
        },
        {
          seq: 2,
          pos: 2,
          op: "http.request",
          kind: "error",
          at: T0 + 2,
          args: null,
          payload: { text: '{"code":"X"}', length: 12 },
          meter: null,
          childId: null,
        },
        expect.objectContaining({ seq: 3, pos: 1, childId: child.executionId }),
      ]);
      expect((await read(0, 10, 4)).entries[0]).toMatchObject({
        args: { text: '{"a"', length: 11 },
        payload: { text: '{"lo', length: 21 },
      });
      expect(await read(0, 2)).toMatchObject({ entries: [{ seq: 1 }, { seq: 2 }], next: 3 });
      expect(await read(3, 2)).toMatchObject({ entries: [{ seq: 3 }], next: null });
      expect(await read(0, 2, 100, "account-2")).toEqual({ entries: [], next: null });
    });

    it("tell how long an execution was parked", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world);
      const read = (accountId = account.id) => store.readParking({ accountId, executionId: lease.executionId });
      expect(await read()).toEqual({ waitedMs: 0, parkedAt: null });
      const before = Date.now();
      await store.waitExecution({
        lease,
        until: T0,
        sleeps: [],
        calls: null,
        shortage: null,
        usage: USAGE,
        ...NO_OUTPUT,
      });
      const parked = await read();
      expect(parked?.parkedAt).toBeGreaterThanOrEqual(before - 1);
      expect(await read("account-2")).toBeNull();
      await expect.poll(() => Date.now() - before).toBeGreaterThan(20);
      await claim(world, { now: T0 + LEASE_MS });
      const woken = await read();
      expect(woken?.parkedAt).toBeNull();
      expect(woken?.waitedMs).toBeGreaterThanOrEqual(10);
    });
  });
}
