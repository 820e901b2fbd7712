import { once } from "node:events";
import type { Bench, Case } from "../case.ts";
import { startProgram } from "../program.ts";
import { type Row, toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { startWeft, withDataDir } from "../weft.ts";

const WORK_ROUNDS = 60;
const TIMES = 9;

interface Measured {
  readonly ms: number;
  readonly result: unknown;
}

async function inNode(times: number): Promise<Measured> {
  const args = ["bench/baselines/cpu.ts", String(WORK_ROUNDS), String(times)];
  const program = await startProgram({ args, env: {} });
  const lines = [program.firstLine];
  while (lines.length < times) lines.push(String((await once(program.lines, "line"))[0]));
  await program.stop();
  const measured = lines.map((line) => JSON.parse(line) as Measured);
  return { ms: median(measured.map(({ ms }) => ms)), result: measured[0]?.result };
}

/** The script takes the time outside: its own clock stands still during a turn. */
async function inWeft({ profileDir }: Bench, profile: "fast" | "hardened", times: number): Promise<Measured> {
  return withDataDir(async (dataDir) => {
    const env = { WEFT_HOST_PROFILE: profile, WEFT_LIMIT_TURN_MS: "60000", WEFT_LIMIT_CPU_MS: "60000" };
    const weft = await startWeft({ dataDir, profileDir, env });
    try {
      await weft.deploy("cpu");
      await weft.call("cpu", { rounds: WORK_ROUNDS }, { no_cache: true });
      const taken: number[] = [];
      let result: unknown;
      for (let n = 0; n < times; n++) {
        const begun = performance.now();
        result = (await weft.call("cpu", { rounds: WORK_ROUNDS }, { no_cache: true })).output;
        taken.push(performance.now() - begun);
      }
      return { ms: median(taken), result };
    } finally {
      await weft.stop();
    }
  });
}

/** A script that only computes. */
export const cpu: Case = {
  name: "cpu",
  about: "Sorting, maps, strings and JSON in one turn, a call each, against the same function in plain Node.",
  async run(bench) {
    const times = bench.quick ? 3 : TIMES;
    const node = await inNode(times);
    const rows: Row[] = [toRow("cpu-node", { amount: node.ms, unit: "ms in plain Node" })];
    for (const profile of bench.quick ? (["fast"] as const) : (["fast", "hardened"] as const)) {
      const weft = await inWeft(bench, profile, times);
      if (weft.result !== node.result) throw new Error(`cpu: ${weft.result} instead of ${node.result}`);
      const name = profile === "fast" ? "cpu" : "cpu-hardened";
      rows.push(toRow(name, { amount: weft.ms / node.ms, unit: "× time of plain Node" }));
    }
    return rows;
  },
};
