import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Case } from "../case.ts";
import { measureLoad } from "../load.ts";
import { residentMib } from "../processes.ts";
import { type Row, toRow } from "../row.ts";
import { callUrl, startWeft, toCallBody, type Weft, withDataDir } from "../weft.ts";

const MANY = 10_000;
const QUICK = 2_000;
/** Calls under way while they are begun. */
const CONCURRENT = 64;
const LOOK_MS = 20;
const PATIENCE_MS = 120_000;

async function begin(weft: Weft, upstream: string, count: number): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next++ < count) await weft.begin("hang", { upstream });
  };
  await Promise.all(Array.from({ length: CONCURRENT }, one));
}

async function measure(
  { quick, upstream, upstreamProgram, profileDir }: Bench,
  dataDir: string,
): Promise<readonly Row[]> {
  const count = quick ? QUICK : MANY;
  let called = 0;
  const onLine = (line: string) => {
    if (line === "called in-ops") called++;
  };
  upstreamProgram.lines.on("line", onLine);
  const weft = await startWeft({ dataDir, profileDir, env: { WEFT_WORKERS: "1", WEFT_MAX_CONCURRENT: "20000" } });
  try {
    await weft.deploy("hang");
    await weft.deploy("echo");
    await weft.call("echo", { text: "hello" }, { no_cache: true });
    const idle = residentMib(weft.pid);
    const begun = performance.now();
    await begin(weft, upstream, count);
    while (called < count) {
      if (performance.now() - begun > PATIENCE_MS) throw new Error(`${called} of ${count} executions called`);
      await sleep(LOOK_MS);
    }
    const allMs = performance.now() - begun;
    const above = residentMib(weft.pid) - idle;
    const body = toCallBody("echo", { text: "hello" }, { no_cache: true });
    const echo = await measureLoad(
      { url: callUrl(weft), headers: weft.headers, body, connections: 1 },
      weft.pid,
      1_500,
    );
    return [
      toRow("in-ops", { amount: (above * 1_024) / count, unit: `KiB each, of ${count} that wait in a call` }),
      toRow("in-ops-begun", { perSecond: (count * 1_000) / allMs }),
      toRow("in-ops-echo", { p50Ms: echo.p50Ms, p99Ms: echo.p99Ms }),
    ];
  } finally {
    upstreamProgram.lines.off("line", onLine);
    await weft.kill();
  }
}

/** Executions that wait in a call at the same time. */
export const inOps: Case = {
  name: "in-ops",
  about: `${MANY} executions (${QUICK} with --quick) of one script, each in an HTTP call that is not answered: memory of server and host, how fast they are begun, and an echo meanwhile.`,
  run: (bench) => withDataDir((dataDir) => measure(bench, dataDir)),
};
