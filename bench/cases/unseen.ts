import { randomBytes } from "node:crypto";
import type { Case } from "../case.ts";
import { toRow } from "../row.ts";
import { unseenScript } from "../scripts.ts";
import { median, quantile } from "../statistics.ts";
import { startWeft, withDataDir } from "../weft.ts";

/** A script that the server has never seen. */
export const unseen: Case = {
  name: "unseen",
  about: "A new script from the start of its upload to the end of its first answer, median.",
  run: ({ quick, profileDir }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, profileDir });
      try {
        const run = randomBytes(4).toString("hex");
        const total: number[] = [];
        const uploads: number[] = [];
        for (let index = 0; index < (quick ? 10 : 40); index++) {
          const startedAt = performance.now();
          await weft.upload(`unseen-${index}`, unseenScript(`${run}-${index}`));
          uploads.push(performance.now() - startedAt);
          await weft.call(`unseen-${index}`, { index }, { no_cache: true });
          total.push(performance.now() - startedAt);
        }
        const goal = { figure: "p50Ms", atMost: 25 } as const;
        return [
          toRow("unseen", { p50Ms: median(total), p99Ms: quantile(total, 0.99), goal }),
          toRow("unseen-upload", { p50Ms: median(uploads), p99Ms: quantile(uploads, 0.99) }),
        ];
      } finally {
        await weft.stop();
      }
    }),
};
