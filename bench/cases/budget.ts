import type { Case } from "../case.ts";
import { measureLoad } from "../load.ts";
import { toRow } from "../row.ts";
import type { ScriptRef } from "../scripts.ts";
import { median } from "../statistics.ts";
import { callUrl, startWeft, toCallBody, type Weft, withDataDir } from "../weft.ts";

const CONNECTIONS = 16;

const loadOf = (weft: Weft, ref: ScriptRef) => ({
  url: callUrl(weft),
  headers: weft.headers,
  body: toCallBody(ref, {}, { no_cache: true }),
  connections: CONNECTIONS,
});

/** What the ledger adds to model calls. */
export const budget: Case = {
  name: "budget",
  about: `Calls with three model calls (built-in model, no waiting) and a budget, against the same calls without one; ${CONNECTIONS} connections.`,
  run: ({ quick, profileDir }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, profileDir });
      try {
        const refs = ["models", "models-budget"] as const;
        for (const ref of refs) await weft.deploy(ref);
        const perSecond: Record<(typeof refs)[number], number[]> = { models: [], "models-budget": [] };
        const ratios: number[] = [];
        for (let round = 0; round < (quick ? 3 : 8); round++) {
          for (const ref of refs)
            perSecond[ref].push((await measureLoad(loadOf(weft, ref), weft.pid, quick ? 1_000 : 3_000)).perSecond);
          ratios.push((perSecond["models-budget"].at(-1) ?? 0) / (perSecond.models.at(-1) ?? 1));
        }
        return [
          toRow("models", { perSecond: median(perSecond.models) }),
          toRow("models-budget", {
            perSecond: median(perSecond["models-budget"]),
            ratio: median(ratios),
            baseline: "models",
            goal: { figure: "ratio", atLeast: 0.4 },
          }),
        ];
      } finally {
        await weft.stop();
      }
    }),
};
