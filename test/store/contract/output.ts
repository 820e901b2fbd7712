import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { chunks, lines, start } from "../fixtures.ts";

/** Contract: chunks and log lines. */
export function describeOutput(subject: () => Subject): void {
  describe("chunks and log lines", () => {
    it("are read exactly from any position, whatever the batches were", async () => {
      const { world } = subject();
      const lease = await start(world);
      const sizes = [1, 3, 1_300, 2, 700];
      let from = 0;
      for (const size of sizes) {
        await world.store.appendOutput({ lease, chunks: chunks(from, size), logs: lines(from, size) });
        from += size;
      }
      const { executionId } = lease;
      const all = chunks(0, from);
      for (const [at, limit] of [
        [0, 5_000],
        [0, 1],
        [2, 4],
        [511, 3],
        [1_303, 10],
        [2_005, 99],
        [2_006, 9],
        [0, 0],
      ] as const) {
        expect(await world.store.readChunks({ executionId, from: at, limit })).toEqual(all.slice(at, at + limit));
      }
      const logs = await world.store.readLogs({ executionId, from: 1_300, limit: 6 });
      expect(logs.map((line) => line.message)).toEqual(Array.from({ length: 6 }, (_, at) => `line ${1_300 + at}`));
      expect(await world.store.readLogs({ executionId, from: 0, limit: 1 })).toEqual(lines(0, 1));
    });

    it("skip what is stored already", async () => {
      const { world } = subject();
      const lease = await start(world);
      await world.store.appendOutput({ lease, chunks: chunks(0, 4), logs: lines(0, 2) });
      await world.store.appendOutput({ lease, chunks: chunks(2, 4), logs: lines(0, 2) });
      await world.store.appendOutput({ lease, chunks: chunks(0, 6), logs: [] });
      const range = { executionId: lease.executionId, from: 0, limit: 99 };
      expect(await world.store.readChunks(range)).toEqual(chunks(0, 6));
      expect(await world.store.readLogs(range)).toEqual(lines(0, 2));
    });

    it("of an unknown execution read as empty", async () => {
      const { store } = subject().world;
      expect(await store.readChunks({ executionId: "unknown", from: 0, limit: 9 })).toEqual([]);
      expect(await store.readLogs({ executionId: "unknown", from: 0, limit: 9 })).toEqual([]);
    });
  });
}
