import { randomUUIDv7 } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSqliteStore } from "../../src/store/sqlite/store.ts";
import type { NewExecution, Store, Workflow } from "../../src/store/store.ts";
import type { Bench, Case } from "../case.ts";
import { cpuMs, residentMib } from "../processes.ts";
import { type Row, toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

const WAITING = 1_000_000;
const WAITING_QUICK = 50_000;
const JOBS = 2_000;
const CALLERS = 16;
/** Executions stored in one turn. */
const BATCH = 1_000;
const ROUNDS = 6;
const CALLS = 50;
const DAY_MS = 86_400_000;
const LOOK_MS = 20;
/** Threads that have had nothing to do for some seconds collect their garbage: both servers have by then. */
const SETTLE_MS = 15_000;

function toJob({ accountId, id, ref }: Workflow, versionId: string, runAt: number): NewExecution {
  const data = { input: 1, messages: [], params: {}, env: {}, metadata: {}, session_id: "s", request_id: "r" };
  const info = { workflow_info: { ref_name: ref, version: "1.0.0", depth: 0 }, accessories: [] };
  return {
    id: randomUUIDv7(),
    accountId,
    workflowId: id,
    versionId,
    ref,
    mode: "background",
    data: JSON.stringify({ ...data, ...info }),
    hasSecrets: false,
    sessionId: "s",
    requestId: "r",
    parentId: null,
    parentPos: null,
    depth: 0,
    seed: "00".repeat(32),
    priority: 0,
    createdAt: Date.now(),
    runAt,
    timeoutMs: null,
    cacheKey: null,
    idempotencyKey: null,
    budget: null,
  };
}

async function fill(store: Store, count: number): Promise<void> {
  const { id: accountId } = await store.ownerAccount();
  const workflow = await store.findWorkflow({ accountId, key: "echo" });
  const versionId = workflow?.activeVersionId;
  if (workflow === null || versionId === null || versionId === undefined) throw new Error("echo is not there");
  for (let done = 0; done < count; done += BATCH) {
    const runAt = Date.now() + DAY_MS;
    const added = Array.from({ length: BATCH }, () => store.enqueue({ execution: toJob(workflow, versionId, runAt) }));
    await Promise.all(added);
  }
}

/** Makes a data directory whose queue holds `count` jobs that are due tomorrow, and starts a server on it. */
async function startWithJobs(dataDir: string, count: number): Promise<Weft> {
  const first = await startWeft({ dataDir });
  await first.deploy("echo");
  await first.stop();
  const store = await createSqliteStore({ file: join(dataDir, "weft.db"), durability: "relaxed" });
  await fill(store, count);
  await store.close();
  return startWeft({ dataDir });
}

interface Measured {
  /** Of each call, ms. */
  readonly times: number[];
  /** CPU time per call in each round, µs. */
  readonly cpu: number[];
}

const nothing = (): Measured => ({ times: [], cpu: [] });

/** Calls one after the other, added to what was measured before. */
async function timeCalls(weft: Weft, { times, cpu }: Measured): Promise<void> {
  const before = cpuMs(weft.pid);
  for (let call = 0; call < CALLS; call++) {
    const from = performance.now();
    await weft.call("echo", { call }, { no_cache: true });
    times.push(performance.now() - from);
  }
  cpu.push(((cpuMs(weft.pid) - before) / CALLS) * 1_000);
}

/** A call beside a full queue and one beside an empty queue, in turns. */
async function besideQueue(count: number): Promise<readonly Row[]> {
  return withDataDir((emptyDir) =>
    withDataDir(async (fullDir) => {
      const empty = await startWithJobs(emptyDir, 0);
      const full = await startWithJobs(fullDir, count);
      try {
        const [first, second] = [nothing(), nothing()];
        await Promise.all([timeCalls(empty, nothing()), timeCalls(full, nothing())]);
        for (let round = 0; round < ROUNDS; round++) {
          await timeCalls(empty, first);
          await timeCalls(full, second);
        }
        await sleep(SETTLE_MS);
        const ratio = median(second.times) / median(first.times);
        const amount = residentMib(full.pid) - residentMib(empty.pid);
        return [
          toRow("jobs-0-waiting", { p50Ms: median(first.times), cpuMicros: median(first.cpu) }),
          toRow("jobs-waiting", {
            p50Ms: median(second.times),
            cpuMicros: median(second.cpu),
            ratio,
            baseline: "jobs-0-waiting",
            goal: { figure: "ratio", atMost: 1.2 },
          }),
          toRow("jobs-memory", { amount, unit: `MiB for ${count} jobs`, goal: { figure: "amount", atMost: 64 } }),
        ];
      } finally {
        await Promise.all([empty.stop(), full.stop()]);
      }
    }),
  );
}

async function completed({ url, headers }: Weft): Promise<number> {
  const answer = await fetch(`${url}/api/v1/workflows/echo/runs?status=completed&limit=1`, { headers });
  const { pagination } = (await answer.json()) as { readonly pagination: { readonly total: number } };
  return pagination.total;
}

/** Calls in the background, and their end. */
async function throughQueue(): Promise<readonly Row[]> {
  return withDataDir(async (dataDir) => {
    const weft = await startWeft({ dataDir });
    try {
      await weft.deploy("echo");
      const from = performance.now();
      let left = JOBS;
      const caller = async () => {
        while (left-- > 0) await weft.call("echo", { left }, { background: true, no_cache: true });
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
      const accepted = performance.now() - from;
      while ((await completed(weft)) < JOBS) await sleep(LOOK_MS);
      const drained = performance.now() - from;
      return [
        toRow("jobs-enqueue", { perSecond: (JOBS / accepted) * 1_000 }),
        toRow("jobs-drain", { perSecond: (JOBS / drained) * 1_000 }),
      ];
    } finally {
      await weft.stop();
    }
  });
}

/** The queue of background calls. */
export const jobs: Case = {
  name: "jobs",
  about: `Background calls accepted and done per second (${JOBS} by ${CALLERS} callers); a call that waits beside ${WAITING} jobs that are due later, and what these take of the memory.`,
  async run({ quick }: Bench) {
    return [...(await throughQueue()), ...(await besideQueue(quick ? WAITING_QUICK : WAITING))];
  },
};
