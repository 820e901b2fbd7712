import type { Bench, Case } from "../case.ts";
import { measureLoad } from "../load.ts";
import { mostStreams, openStreams } from "../open-streams.ts";
import { type Row, toRow } from "../row.ts";
import { medianRound, type Round } from "../statistics.ts";
import { addCompleted, addWorkflows } from "../stored.ts";
import { callUrl, startWeft, toCallBody, type Weft, withDataDir } from "../weft.ts";

const ROUNDS = 5;
const ROUND_MS = 700;
const CONNECTIONS = 16;
const REF = "echo";

/** What an uncached call costs now. */
async function measureCalls(weft: Weft): Promise<Round> {
  const body = toCallBody(REF, { text: "hello" }, { no_cache: true });
  const load = { url: callUrl(weft), headers: weft.headers, body, connections: CONNECTIONS };
  const rounds: Round[] = [];
  await measureLoad(load, weft.pid, ROUND_MS);
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measureLoad(load, weft.pid, ROUND_MS));
  return medianRound(rounds);
}

/** A row for each step, and one on the last against the first, in CPU time: a step may take place minutes after the other. */
function toRows(series: string, steps: readonly (readonly [x: number, round: Round])[]): readonly Row[] {
  const rows = steps.map(([x, round]) => toRow(`${series}-${x}`, { ...round, at: { series, x } }));
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return rows;
  const unit = `× CPU time per call: ${last[0]} against ${first[0]}`;
  const amount = last[1].cpuMicros / first[1].cpuMicros;
  return [...rows, toRow(series, { amount, unit, goal: { figure: "amount", atMost: 1.5 } })];
}

/** Steps of what is in the store: `fill` puts as many more into it. */
async function inStore(series: string, steps: readonly number[], fill: typeof addCompleted): Promise<readonly Row[]> {
  return withDataDir(async (dataDir) => {
    const measured: (readonly [number, Round])[] = [];
    let stored = 1;
    for (const step of steps) {
      if (step > stored) await fill(dataDir, REF, step - stored);
      stored = Math.max(stored, step);
      const weft = await startWeft({ dataDir });
      try {
        if (measured.length === 0) await weft.deploy(REF);
        measured.push([step, await measureCalls(weft)]);
      } finally {
        await weft.stop();
      }
    }
    return toRows(series, measured);
  });
}

async function whileStreaming(steps: readonly number[]): Promise<readonly Row[]> {
  return withDataDir(async (dataDir) => {
    const weft = await startWeft({ dataDir });
    const measured: (readonly [number, Round])[] = [];
    try {
      await weft.deploy(REF);
      await weft.deploy("wait");
      const streams = openStreams(weft, await weft.begin("wait", { n: 1 }));
      for (const step of steps) {
        await streams.grow(step);
        measured.push([step, await measureCalls(weft)]);
      }
      streams.close();
      return toRows("growth-streams", measured);
    } finally {
      await weft.stop();
    }
  });
}

const upTo = (steps: readonly number[], quick: Bench["quick"]) => (quick ? steps.slice(0, -1) : steps);

/** What grows must not make a call dearer. */
export const growth: Case = {
  name: "growth",
  about: `CPU time of an uncached echo while there are ever more stored executions (to 1,000,000), workflows (to 100,000) and open streams (to 10,000, or as the limit of open files allows); each step is ${ROUNDS} rounds of ${ROUND_MS} ms.`,
  run: async ({ quick }) => [
    ...(await inStore("growth-executions", upTo([1, 10_000, 100_000, 1_000_000], quick), addCompleted)),
    ...(await inStore("growth-workflows", upTo([1, 1_000, 10_000, 100_000], quick), addWorkflows)),
    ...(await whileStreaming(upTo([1, 100, 1_000, Math.min(10_000, mostStreams())], quick))),
  ],
};
