import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { entry, start, T0 } from "../fixtures.ts";

const METER = {
  startedAt: T0,
  durationMs: 12.5,
  attempts: 2,
  promptTokens: 3,
  completionTokens: 4,
  costUsd: 0.001,
  model: "m",
};

/** Contract: the journal. */
export function describeJournal(subject: () => Subject): void {
  describe("the journal", () => {
    it("keeps deliveries whole and in order, across reopening", async () => {
      const { world, reopen } = subject();
      const lease = await start(world);
      const records = [
        entry(0, { args: '{"url":"a"}', meter: METER }),
        entry(1, { kind: "part", pos: 7 }),
        entry(2, { kind: "error", payload: '{"code":"UPSTREAM_FAILED"}', meter: { ...METER, model: null } }),
        entry(3, { args: '{"url":"a"}' }),
      ];
      await world.store.appendJournal({ lease, records: records.slice(0, 1) });
      await world.store.appendJournal({ lease, records: records.slice(1) });
      const again = await reopen();
      expect(await again.readJournal({ executionId: lease.executionId })).toEqual(records);
      const { promptTokens, completionTokens, costUsd } = METER;
      const used = { promptTokens, completionTokens, costUsd };
      const replay = records.map((record) => ({ ...record, args: null, meter: record.meter === null ? null : used }));
      expect(await again.readReplay({ executionId: lease.executionId })).toEqual(replay);
    });

    it("finds a log line by the beginning of its message", async () => {
      const { world, reopen } = subject();
      const lease = await start(world);
      const { executionId } = lease;
      const line = { index: 0, level: "warn", at: 1, message: 'Lost "it": twice', fields: null } as const;
      await world.store.appendOutput({ lease, chunks: [], logs: [line, { ...line, index: 1, message: "other" }] });
      const { store } = world;
      expect(await store.mayHaveLog({ executionId, beginning: 'Lost "it":' })).toBe(true);
      expect(await store.mayHaveLog({ executionId, beginning: "it" })).toBe(false);
      expect(await store.mayHaveLog({ executionId: "unknown", beginning: "other" })).toBe(false);
      const again = await reopen();
      expect(await again.mayHaveLog({ executionId, beginning: "oth" })).toBe(true);
      const large = { ...line, message: "x".repeat(1_100_000), index: 2 };
      await again.appendOutput({ lease, chunks: [], logs: [large] });
      expect(await again.mayHaveLog({ executionId, beginning: "it" })).toBe(true);
    });

    it("takes appends of one turn in the order of the calls", async () => {
      const { world } = subject();
      const lease = await start(world);
      await Promise.all(
        Array.from({ length: 50 }, (_, seq) => world.store.appendJournal({ lease, records: [entry(seq)] })),
      );
      const seqs = (await world.store.readJournal({ executionId: lease.executionId })).map((record) => record.seq);
      expect(seqs).toEqual(Array.from({ length: 50 }, (_, seq) => seq));
    });

    it("refuses gaps and repetitions as a whole", async () => {
      const { world } = subject();
      const lease = await start(world);
      await world.store.appendJournal({ lease, records: [entry(0)] });
      for (const records of [[entry(2)], [entry(0)], [entry(1), entry(3)]]) {
        await expect(world.store.appendJournal({ lease, records })).rejects.toMatchObject({ code: "CONFLICT" });
      }
      expect(await world.store.readJournal({ executionId: lease.executionId })).toEqual([entry(0)]);
    });

    it("reads as empty for an unknown execution and refuses to write to it", async () => {
      const { store } = subject().world;
      expect(await store.readJournal({ executionId: "unknown" })).toEqual([]);
      expect(await store.readReplay({ executionId: "unknown" })).toEqual([]);
      const lease = { executionId: "unknown", fence: 1 };
      await expect(store.appendJournal({ lease, records: [entry(0)] })).rejects.toMatchObject({ code: "CONFLICT" });
    });
  });
}
