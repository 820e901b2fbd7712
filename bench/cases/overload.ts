import { setTimeout as sleep } from "node:timers/promises";
import type { Case } from "../case.ts";
import { toRow } from "../row.ts";
import { callUrl, startWeft, toCallBody, type Weft, withDataDir } from "../weft.ts";

/** Places, and as many may wait. */
const PLACES = 8;
const WORK_MS = 50;
const TIMES = 10;
/** A refused caller comes back after this, as a client of its own would. */
const AGAIN_MS = 100;

const SCRIPT = `export async function execute(ctx) { await ctx.sleep(${WORK_MS}); return 1; }`;

interface Offered {
  /** Milliseconds of each accepted call. */
  readonly accepted: readonly number[];
  /** Milliseconds of each refusal. */
  readonly refused: readonly number[];
}

async function offer(weft: Weft, clients: number, forMs: number): Promise<Offered> {
  const accepted: number[] = [];
  const refused: number[] = [];
  const end = performance.now() + forMs;
  const body = toCallBody("overload", 1, { no_cache: true });
  const one = async () => {
    while (performance.now() < end) {
      const startedAt = performance.now();
      const response = await fetch(callUrl(weft), { method: "POST", headers: weft.headers, body });
      await response.arrayBuffer();
      (response.ok ? accepted : refused).push(performance.now() - startedAt);
      if (!response.ok) await sleep(AGAIN_MS);
    }
  };
  await Promise.all(Array.from({ length: clients }, one));
  return { accepted, refused };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Whether accepted calls stay as fast when far too many are offered. */
export const overload: Case = {
  name: "overload",
  about: `Median time of accepted calls with ${TIMES} times as many callers as there are places (${PLACES}, and as many may wait), against that with places for all; of refusals, the median itself.`,
  run: ({ quick }) =>
    withDataDir(async (dataDir) => {
      const env = { WEFT_MAX_CONCURRENT: String(PLACES), WEFT_MAX_QUEUED: String(PLACES) };
      const weft = await startWeft({ dataDir, env });
      try {
        await weft.upload("overload", SCRIPT);
        const forMs = quick ? 3_000 : 10_000;
        await offer(weft, PLACES, 1_000);
        const calm = await offer(weft, PLACES, forMs);
        const { accepted, refused } = await offer(weft, PLACES * TIMES, forMs);
        // Whoever waits does so for one more call than whoever has a place.
        const amount = median(accepted) / median(calm.accepted);
        return [
          toRow("overload", { amount, unit: "× the median", goal: { figure: "amount", atMost: 3 } }),
          toRow("overload-refusal", { amount: median(refused), unit: "ms" }),
        ];
      } finally {
        await weft.stop();
      }
    }),
};
