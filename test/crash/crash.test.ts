import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { hostsOf, isAlive, killHard } from "../support/host-processes.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { type SpawnedServer, spawnTestServer } from "../support/server.ts";
import { call, callStream, readRun, upload, uuidOf } from "./client.ts";
import { wrongClock } from "./clock.ts";
import { type CountingHttp, startCountingHttp } from "./counting-http.ts";
import { createRandom } from "./random.ts";
import { readSnapshot, type StoredExecution } from "./snapshot.ts";
import { expectMix, expectNap, expectSpent, expectWithinBudget, SCRIPTS } from "./workload.ts";

/** WEFT_CRASH_SEED repeats a run (as far as timing allows), WEFT_CRASH_ROUNDS makes it longer. */
const seed = Number(process.env["WEFT_CRASH_SEED"] ?? Date.now() % 1_000_000);
const rounds = Number(process.env["WEFT_CRASH_ROUNDS"] ?? 6);
const random = createRandom(seed);
/** A server life, with everything it does at its slowest. */
const ROUND_MS = 30_000;
const SETTLE_MS = 60_000;
/** Clocks are wrong by this much at the most: less than the shortest timeout, more than a lease. */
const MAX_CLOCK_MS = 60_000;

let dir: DataDir;
let stub: ModelStub;
let http: CountingHttp;
let server: SpawnedServer | null = null;
/** Ids (of inputs) whose background call was acknowledged, by execution id. */
const acknowledged = new Map<string, string>();
/** Ops that were finished in the journal at a crash, with the number of requests the upstreams had seen by then. */
const finished = new Map<string, { readonly models: number; readonly posts: number }>();
let serverKills = 0;
let hostKills = 0;
let calls = 0;

beforeAll(async () => {
  dir = await makeDataDir();
  stub = await startModelStub();
  stub.always(() => ({ delayMs: random.between(0, 160), chunkDelayMs: random.between(0, 15) }));
  http = await startCountingHttp(() => random.between(0, 160));
  process.stdout.write(`crash test: WEFT_CRASH_SEED=${seed} WEFT_CRASH_ROUNDS=${rounds}\n`);
});
afterAll(async () => {
  await server?.kill();
  await stub.close();
  await http.close();
  await dir.remove();
});

/** The last server's clock is ahead of all others, so that nothing waits for a time that a wrong one named. */
const startServer = (last: boolean) =>
  spawnTestServer(dir.path, {
    ...wrongClock({
      fromMs: last ? MAX_CLOCK_MS : random.between(-MAX_CLOCK_MS, MAX_CLOCK_MS),
      toMs: last ? MAX_CLOCK_MS : random.between(-MAX_CLOCK_MS, MAX_CLOCK_MS),
      jumpAt: Date.now() + random.between(500, 2_500),
    }),
    WEFT_WORKERS: "2",
    WEFT_STOP_GRACE_MS: "50",
    OPENAI_BASE_URL: stub.url,
    OPENAI_API_KEY: "sk-stub",
  });

/** Calls that the server's death may cut off. */
const mayFail = (promise: Promise<unknown>) => void promise.catch(() => undefined);

async function submit({ url }: SpawnedServer): Promise<void> {
  const id = `r${calls++}`;
  const kind = random.next();
  const ref = kind < 0.15 ? "nap" : kind < 0.35 ? "spend" : "mix";
  const input = { id: `${ref}-${id}`, http: http.url, napMs: random.between(0, 120) };
  const way = random.next();
  if (way < 0.2) mayFail(call(url, ref, { input }));
  else if (way < 0.4) mayFail(callStream(url, ref, { input }));
  else {
    const { status, json } = await call(url, ref, { input, background: true });
    expect(status).toBe(202);
    acknowledged.set((json as { readonly id: string }).id, input.id);
  }
}

/** Kills hosts of the server's first generation: one that was started later may hold a suspect, which has one chance. */
async function killSomeHosts({ pid }: SpawnedServer): Promise<void> {
  for (const host of hostsOf(pid)) {
    if (!random.chance(0.5)) continue;
    await wait(random.between(20, 250));
    killHard(host);
    hostKills++;
  }
}

async function expectHostsGone(hosts: readonly number[]): Promise<void> {
  await expect.poll(() => hosts.filter(isAlive)).toEqual([]);
}

/** Notes which ops are finished now that the server is down. */
async function noteFinished(): Promise<readonly StoredExecution[]> {
  const seen = { models: stub.calls.length, posts: http.keys.length };
  const stored = await readSnapshot(dir.path);
  for (const key of stored.flatMap((one) => one.finished)) if (!finished.has(key)) finished.set(key, seen);
  for (const { balance } of stored) expectWithinBudget(balance);
  const known = new Set(stored.map(({ execution }) => execution.id));
  expect([...acknowledged.keys()].filter((id) => !known.has(uuidOf(id)))).toEqual([]);
  return stored;
}

async function crashRound(): Promise<void> {
  server = await startServer(false);
  if (calls === 0) await upload(server.url, SCRIPTS);
  const count = random.between(3, 6);
  for (let n = 0; n < count; n++) await submit(server);
  const strike = random.chance(0.6) ? killSomeHosts(server) : Promise.resolve();
  await wait(random.between(60, 1_100));
  await strike;
  const hosts = hostsOf(server.pid);
  if (random.chance(0.25)) await server.stop();
  else {
    await server.kill();
    serverKills++;
  }
  await expectHostsGone(hosts);
  await noteFinished();
}

/** Nothing that was finished at a crash may be asked for again. */
function expectNothingRepeated(): void {
  const models = stub.calls.map(({ headers }) => String(headers["idempotency-key"]));
  const repeated = [...finished].filter(
    ([key, seen]) => models.lastIndexOf(key) >= seen.models || http.keys.lastIndexOf(key) >= seen.posts,
  );
  expect(repeated.map(([key]) => key)).toEqual([]);
}

/** What was in flight when the server went may be asked again once per crash, nothing more often; a host takes no call along. */
function expectFewRepeats(): void {
  const counts = new Map<string, number>();
  for (const { headers } of stub.calls) {
    const key = String(headers["idempotency-key"]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const key of http.keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const most = 1 + rounds;
  expect([...counts].filter(([, count]) => count > most)).toEqual([]);
}

function expectRight({ execution, chunks }: StoredExecution): void {
  const { state, ref, parentId } = execution;
  const { input } = JSON.parse(execution.data) as { readonly input: { readonly id: string } };
  const end = ref === "spend" ? "waiting" : "completed";
  expect(state, `${ref} ${input.id} (${execution.id}): ${JSON.stringify(state).slice(0, 2_000)}`).toMatchObject({
    status: end,
  });
  if (ref === "spend") expectSpent(execution);
  if (state.status !== "completed" || parentId !== null) return;
  if (ref === "mix") expectMix(input.id, state.output, chunks);
  else expectNap(input.id, state.output, chunks);
}

const isOpen = ({ execution: { state } }: StoredExecution) =>
  state.status === "queued" || state.status === "running" || state.status === "waiting";

test(
  `executions survive kills of hosts and of the server (seed ${seed})`,
  async () => {
    for (let round = 0; round < rounds; round++) await crashRound();
    const before = (await readSnapshot(dir.path)).filter(isOpen);
    server = await startServer(true);
    const { url } = server;
    const startedAt = performance.now();
    for (const { execution } of before) {
      const status = async () => {
        const run = await readRun(url, execution.id);
        return run["waiting_reason"] ?? run["status"];
      };
      await expect.poll(status, { timeout: SETTLE_MS, interval: 50 }).toMatch(/completed|failed|cancelled|budget/);
    }
    const settledMs = Math.round(performance.now() - startedAt);
    const hosts = hostsOf(server.pid);
    await server.stop();
    await expectHostsGone(hosts);
    const stored = await readSnapshot(dir.path);
    for (const one of stored) expectRight(one);
    expectNothingRepeated();
    expectFewRepeats();
    const roots = stored.filter(({ execution }) => execution.parentId === null).length;
    const facts = `${roots} executions, ${finished.size} finished ops at ${serverKills} kills of the server and ${hostKills} of hosts`;
    process.stdout.write(
      `crash test: ${facts}; ${stub.calls.length} model calls, none repeated; the last ${before.length} took ${settledMs} ms\n`,
    );
  },
  rounds * ROUND_MS + 2 * SETTLE_MS,
);
