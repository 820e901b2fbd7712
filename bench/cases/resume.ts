import { on } from "node:events";
import type { Bench, Case } from "../case.ts";
import { toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { startWeft, withDataDir } from "../weft.ts";

const OPS = 20_000;
const PATIENCE_MS = 30_000;

/** Resolves with the time of the next call of /hang by the execution with that many ops. */
async function nextHang({ upstreamProgram }: Bench, ops: number): Promise<number> {
  for await (const [line] of on(upstreamProgram.lines, "line", { signal: AbortSignal.timeout(PATIENCE_MS) })) {
    if (line === `called ${ops}`) return performance.now();
  }
  throw new Error("the stub ended");
}

/** Milliseconds from starting a server to the end of the journal of an execution that an earlier one left behind. */
async function measureRestarts(bench: Bench, ops: number): Promise<number> {
  const { profileDir, upstream, quick } = bench;
  return withDataDir(async (dataDir) => {
    let weft = await startWeft({ dataDir });
    try {
      await weft.deploy("resume");
      const recorded = nextHang(bench, ops);
      await weft.call("resume", { upstream, ops }, { background: true });
      await recorded;
      const times: number[] = [];
      for (let restart = 0; restart < (quick ? 1 : 3); restart++) {
        await weft.kill();
        const resumed = nextHang(bench, ops);
        weft = await startWeft({ dataDir, profileDir });
        times.push((await resumed) - weft.spawnedAt);
      }
      return median(times);
    } finally {
      // A killed server writes no profile.
      await (profileDir === null ? weft.kill() : weft.stop());
    }
  });
}

/** Recovery after the server was killed. */
export const resume: Case = {
  name: "resume",
  about: `kill -9 with ${OPS} recorded HTTP calls behind an open one; from start to repeating the open one, less the same with none, per call.`,
  async run(bench) {
    const none = await measureRestarts(bench, 0);
    const many = await measureRestarts(bench, OPS);
    const goal = { figure: "amount", atMost: 50 } as const;
    return [
      toRow("resume", { amount: ((many - none) / OPS) * 1_000, unit: "µs per op", goal }),
      toRow("resume-none", { amount: none, unit: "ms from start, 0 ops" }),
      toRow("resume-many", { amount: many, unit: `ms from start, ${OPS} ops` }),
    ];
  },
};
