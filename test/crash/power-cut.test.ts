import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { type SpawnedServer, spawnTestServer } from "../support/server.ts";
import { call, readRun, upload, uuidOf } from "./client.ts";
import { type CountingHttp, startCountingHttp } from "./counting-http.ts";
import { copyStore, damageOf, logBytes, loseWrites } from "./power-cut.ts";
import { createRandom } from "./random.ts";
import { readSnapshot } from "./snapshot.ts";
import { expectMix, SCRIPTS } from "./workload.ts";

/** As in crash.test.ts: repeats a run, makes it longer. */
const seed = Number(process.env["WEFT_CRASH_SEED"] ?? Date.now() % 1_000_000);
const rounds = Math.ceil(Number(process.env["WEFT_CRASH_ROUNDS"] ?? 6) / 6);
const random = createRandom(seed);
const ROUND_MS = 60_000;

let stub: ModelStub;
let http: CountingHttp;
let server: SpawnedServer | null = null;
const dirs: DataDir[] = [];

beforeAll(async () => {
  stub = await startModelStub();
  stub.always(() => ({ delayMs: random.between(0, 80), chunkDelayMs: random.between(0, 10) }));
  http = await startCountingHttp(() => random.between(0, 80));
  process.stdout.write(`power cuts: WEFT_CRASH_SEED=${seed} WEFT_CRASH_ROUNDS=${6 * rounds}\n`);
});
afterAll(async () => {
  await server?.kill();
  await stub.close();
  await http.close();
  for (const dir of dirs) await dir.remove();
});

async function newDir(): Promise<string> {
  const dir = await makeDataDir();
  dirs.push(dir);
  return dir.path;
}

const startServer = (path: string) => spawnTestServer(path, { OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk-stub" });
const inputOf = (id: string) => ({ id, http: http.url, napMs: random.between(0, 50) });

interface Acknowledged {
  /** UUIDs. */
  readonly begun: readonly string[];
  readonly ended: readonly string[];
}

async function callSome({ url }: SpawnedServer, round: number): Promise<Acknowledged> {
  const background = Array.from({ length: 3 }, (_, n) =>
    call(url, "mix", { input: inputOf(`b${round}-${n}`), background: true }),
  );
  const begun = (await Promise.all(background)).map(({ json }) => uuidOf((json as { id: string }).id));
  const answers = [0, 1].map((n) => call(url, "leaf", { input: { id: `s${round}-${n}`, deeper: false } }));
  const ended = (await Promise.all(answers)).map(({ json }) => uuidOf((json as { id: string }).id));
  return { begun, ended };
}

/** One server whose power fails; resolves to what is left on its disk, and what it had promised. */
async function cutPower(round: number): Promise<{ readonly path: string; readonly promised: Acknowledged }> {
  const path = await newDir();
  server = await startServer(path);
  await upload(server.url, SCRIPTS);
  const promised = await callSome(server, round);
  const safe = logBytes(path);
  for (let n = 0; n < 4; n++)
    call(server.url, "mix", { input: inputOf(`late${round}-${n}`), background: true }).catch(() => undefined);
  await wait(random.between(0, 900));
  const copy = await newDir();
  copyStore(server.pid, path, copy);
  await server.kill();
  loseWrites(copy, safe, random);
  return { path: copy, promised };
}

async function expectAllRight(path: string): Promise<number> {
  const stored = await readSnapshot(path);
  for (const { execution, chunks } of stored) {
    expect(execution.state, `${execution.ref} ${execution.id}`).toMatchObject({ status: "completed" });
    if (execution.ref !== "mix" || execution.state.status !== "completed") continue;
    const { input } = JSON.parse(execution.data) as { readonly input: { readonly id: string } };
    expectMix(input.id, execution.state.output, chunks);
  }
  return stored.length;
}

test(
  `after a power cut everything acknowledged is there, and nothing is half there (seed ${seed})`,
  async () => {
    for (let round = 0; round < rounds; round++) {
      const { path, promised } = await cutPower(round);
      expect(damageOf(path)).toEqual([]);
      const left = new Map((await readSnapshot(path)).map(({ execution }) => [execution.id, execution.state.status]));
      expect(promised.begun.filter((id) => !left.has(id))).toEqual([]);
      expect(promised.ended.map((id) => left.get(id))).toEqual(promised.ended.map(() => "completed"));
      server = await startServer(path);
      const { url } = server;
      for (const id of left.keys()) {
        const status = async () => (await readRun(url, id))["status"];
        await expect.poll(status, { timeout: ROUND_MS / 2, interval: 50 }).toMatch(/completed|failed|cancelled/);
      }
      await server.stop();
      expect(await expectAllRight(path)).toBeGreaterThanOrEqual(left.size);
      expect(damageOf(path)).toEqual([]);
    }
  },
  rounds * ROUND_MS + ROUND_MS,
);
