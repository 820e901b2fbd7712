import type { Case } from "../case.ts";
import { toRow } from "../row.ts";
import { median, quantile } from "../statistics.ts";
import { measureStream } from "../stream.ts";
import { startWeft, withDataDir } from "../weft.ts";

/** The default limit of chunks per execution. */
const CHUNKS = 10_000;

/** What a reader of one stream sees. */
export const stream: Case = {
  name: "stream",
  about: `First chunk: from sending the request, so an upper bound. Chunks: ${CHUNKS} of one stream, from sending the request to the last one.`,
  run: ({ quick, upstream, profileDir }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, profileDir });
      try {
        await weft.deploy("first");
        await weft.deploy("chunks");
        const first: number[] = [];
        for (let index = 0; index < (quick ? 10 : 30); index++) {
          const times = await measureStream(weft, "first", { upstream });
          if (times.endMs < 100) throw new Error("the stream ended before the script could");
          first.push(times.firstChunkMs);
        }
        const rates: number[] = [];
        for (let index = 0; index < (quick ? 5 : 15); index++) {
          const times = await measureStream(weft, "chunks", { count: CHUNKS });
          if (times.chunks !== CHUNKS) throw new Error(`${times.chunks} of ${CHUNKS} chunks arrived`);
          rates.push((CHUNKS / times.lastChunkMs) * 1_000);
        }
        const goal = { figure: "p50Ms", atMost: 5 } as const;
        return [
          toRow("first-chunk", { p50Ms: median(first), p99Ms: quantile(first, 0.99), goal }),
          toRow("chunks", { perSecond: median(rates), goal: { figure: "perSecond", atLeast: 50_000 } }),
        ];
      } finally {
        await weft.stop();
      }
    }),
};
