import type { Case } from "../case.ts";
import { toRow } from "../row.ts";
import { median, quantile } from "../statistics.ts";
import { measureStream } from "../stream.ts";
import { startWeft, withDataDir } from "../weft.ts";

const STREAMS = 500;
const CHUNKS = 200;

/** Many streams at once. */
export const streams: Case = {
  name: "streams",
  about: `${STREAMS} streams begun at once, ${CHUNKS} chunks each: when each had its first one, and all chunks per second until the last.`,
  run: ({ quick, profileDir }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, profileDir });
      try {
        await weft.deploy("chunks");
        await measureStream(weft, "chunks", { count: CHUNKS });
        const first: number[] = [];
        const rates: number[] = [];
        for (let round = 0; round < (quick ? 2 : 5); round++) {
          const begun = performance.now();
          const all = await Promise.all(
            Array.from({ length: STREAMS }, () => measureStream(weft, "chunks", { count: CHUNKS })),
          );
          rates.push((STREAMS * CHUNKS * 1_000) / (performance.now() - begun));
          if (all.some(({ chunks }) => chunks !== CHUNKS)) throw new Error("streams: a stream has lost chunks");
          first.push(...all.map(({ firstChunkMs }) => firstChunkMs));
        }
        return [
          toRow("streams-first", { p50Ms: median(first), p99Ms: quantile(first, 0.99) }),
          toRow("streams", { perSecond: median(rates) }),
        ];
      } finally {
        await weft.stop();
      }
    }),
};
