import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Case } from "../case.ts";
import { residentMib } from "../processes.ts";
import { type Row, toRow } from "../row.ts";
import { addWaiting } from "../stored.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

const MANY = 100_000;
const QUICK = 10_000;
/** Of the waiting executions, those that get their event. */
const WOKEN = 500;
const SETTLE_MS = 2_000;
/** Events under way at the same time. */
const CONCURRENT = 16;

async function deploy(dataDir: string): Promise<void> {
  const weft = await startWeft({ dataDir });
  try {
    await weft.deploy("wait");
  } finally {
    await weft.stop();
  }
}

async function idleMib(dataDir: string): Promise<number> {
  const weft = await startWeft({ dataDir, env: { WEFT_WORKERS: "1" } });
  try {
    await sleep(SETTLE_MS);
    return residentMib(weft.pid);
  } finally {
    await weft.stop();
  }
}

async function send({ url, headers }: Weft, n: number): Promise<void> {
  const body = JSON.stringify({ name: "bench", data: { n } });
  const response = await fetch(`${url}/api/v1/events`, { method: "POST", headers, body });
  const { data } = (await response.json()) as { readonly data?: { readonly reached: number } };
  if (data?.reached !== 1) throw new Error(`event ${n} reached ${data?.reached} executions`);
}

async function completed({ url, headers }: Weft): Promise<number> {
  const response = await fetch(`${url}/api/v1/workflows/wait/runs?status=completed&limit=1`, { headers });
  const { pagination } = (await response.json()) as { readonly pagination: { readonly total: number } };
  return pagination.total;
}

/** Sends each of some executions its event; resolves when all have gone on to their end. */
async function wake(weft: Weft, count: number): Promise<readonly [sentMs: number, endedMs: number]> {
  const begun = performance.now();
  let next = 0;
  const one = async () => {
    for (let n = next++; n < WOKEN; n = next++) await send(weft, Math.floor((n * count) / WOKEN));
  };
  await Promise.all(Array.from({ length: CONCURRENT }, one));
  const sent = performance.now() - begun;
  while ((await completed(weft)) < WOKEN) await sleep(10);
  return [sent, performance.now() - begun];
}

async function measure({ quick, profileDir }: Bench, dataDir: string): Promise<readonly Row[]> {
  const count = quick ? QUICK : MANY;
  await deploy(dataDir);
  const idle = await idleMib(dataDir);
  await addWaiting(dataDir, "wait", count);
  const weft = await startWeft({ dataDir, profileDir, env: { WEFT_WORKERS: "1" } });
  try {
    await sleep(SETTLE_MS);
    const above = residentMib(weft.pid) - idle;
    const [sentMs, endedMs] = await wake(weft, count);
    const goal = { figure: "amount", atMost: 20 } as const;
    return [
      toRow("waiting-memory", { amount: above, unit: `MiB above idle with ${count} waiting`, goal }),
      toRow("waiting-start", { amount: weft.readyMs, unit: `ms to start with ${count} waiting` }),
      toRow("waiting-events", { amount: sentMs / WOKEN, unit: "ms per event that matches one of them" }),
      toRow("waiting-woken", { amount: endedMs / WOKEN, unit: "ms per execution from its event to its end" }),
    ];
  } finally {
    await weft.stop();
  }
}

/** Executions that wait for events. */
export const waiting: Case = {
  name: "waiting",
  about: `Memory of a server with ${MANY} waiting executions (${QUICK} with --quick) above an idle one; ${WOKEN} of them get their events.`,
  run: (bench) => withDataDir((dataDir) => measure(bench, dataDir)),
};
