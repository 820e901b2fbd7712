import { setTimeout as sleep } from "node:timers/promises";
import type { Case } from "../case.ts";
import { residentMib } from "../processes.ts";
import { toRow } from "../row.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

const CONCURRENCY = 16;
/** Garbage is collected and the log folded into the database by then. */
const SETTLE_MS = 5_000;

const SCRIPT = `export async function execute(ctx) {
  if (ctx.input.i % 50 === 0) throw new Error("one in fifty fails");
  ctx.log("at work", { i: ctx.input.i });
  if (ctx.input.i % 10 === 0) await ctx.sleep(5);
  ctx.emit("piece", "x".repeat(2_000));
  return { i: ctx.input.i, text: "y".repeat(1_000) };
}`;

/** So many executions, some of which fail, wait or are streamed. */
async function work(weft: Weft, from: number, count: number): Promise<void> {
  let next = from;
  const one = async () => {
    while (next < from + count) {
      const i = next++;
      // A failing one is answered with 500.
      await weft.call("soak", { i }, { no_cache: true, stream: i % 7 === 0 }).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, one));
  await sleep(SETTLE_MS);
}

/** Whether memory stays flat over many executions. */
export const soak: Case = {
  name: "soak",
  about:
    "Resident memory of server and hosts after many executions (some fail, wait or stream), against that after the first part of them: growth per 10,000.",
  run: ({ quick }) =>
    withDataDir(async (dataDir) => {
      const [first, further] = quick ? [16_000, 16_000] : [20_000, 60_000];
      const weft = await startWeft({ dataDir });
      try {
        await weft.upload("soak", SCRIPT);
        await work(weft, 0, first);
        const before = residentMib(weft.pid);
        await work(weft, first, further);
        const amount = ((residentMib(weft.pid) - before) / further) * 10_000;
        return [toRow("soak", { amount, unit: "MiB per 10,000 executions", goal: { figure: "amount", atMost: 10 } })];
      } finally {
        await weft.stop();
      }
    }),
};
