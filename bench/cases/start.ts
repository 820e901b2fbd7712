import { setTimeout as sleep } from "node:timers/promises";
import type { Case } from "../case.ts";
import { proportionalMib, residentMib } from "../processes.ts";
import { type Row, toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { startWeft, withDataDir } from "../weft.ts";

/** Idle is when the bundler has ended its esbuild and the threads have collected their garbage, after ten seconds or so with nothing to do. */
const SETTLE_MS = 20_000;

async function measureStart(dataDir: string, examples: "on" | "off"): Promise<number> {
  const weft = await startWeft({ dataDir, env: { WEFT_EXAMPLES: examples } });
  await weft.stop();
  return weft.readyMs;
}

async function measureIdle(dataDir: string): Promise<readonly Row[]> {
  const weft = await startWeft({ dataDir, env: { WEFT_WORKERS: "1" } });
  try {
    await sleep(SETTLE_MS);
    const goal = { figure: "amount", atMost: 250 } as const;
    return [
      toRow("idle-memory", { amount: residentMib(weft.pid), unit: "MiB resident", goal }),
      toRow("idle-shares", { amount: proportionalMib(weft.pid), unit: "MiB, shared pages counted once" }),
    ];
  } finally {
    await weft.stop();
  }
}

/** Start and idle memory. */
export const start: Case = {
  name: "start",
  about: "From spawning the process to ready; memory of a server with one host, idle for twenty seconds.",
  run: ({ quick }) =>
    withDataDir(async (dataDir) => {
      const first = await measureStart(dataDir, "on");
      const times: number[] = [];
      for (let round = 0; round < (quick ? 2 : 5); round++) times.push(await measureStart(dataDir, "on"));
      const goal = { figure: "amount", atMost: 1_500 } as const;
      return [
        toRow("start", { amount: median(times), unit: "ms", goal }),
        toRow("start-first", { amount: first, unit: "ms, examples loaded" }),
        ...(await measureIdle(dataDir)),
      ];
    }),
};
