import type { Bench } from "./case.ts";
import { type Load, measureLoad } from "./load.ts";
import type { LoadCase, ServerName } from "./load-cases.ts";
import { startProgram } from "./program.ts";
import { type Row, toRow } from "./row.ts";
import { medianRatio, medianRound, type Round } from "./statistics.ts";
import { callUrl, startWeft, toCallBody, type Weft, withDataDir } from "./weft.ts";

const FULL = { warmUpMs: 700, roundMs: 1_000, rounds: 3 };
const QUICK = { warmUpMs: 300, roundMs: 300, rounds: 2 };

interface Running {
  readonly url: string;
  readonly pid: number;
  /** Null for a baseline. */
  readonly weft: Weft | null;
  stop(): Promise<void>;
}

interface Contender {
  readonly pid: number;
  readonly load: Load;
  readonly rounds: Round[];
  failure: string | null;
}

async function startBaseline(name: ServerName): Promise<Running> {
  const program = await startProgram({ args: ["--no-node-snapshot", `bench/baselines/${name}.ts`], env: {} });
  return { url: program.firstLine, pid: program.pid, weft: null, stop: program.stop };
}

async function startServer(name: ServerName, dataDir: string, { profileDir }: Bench): Promise<Running> {
  if (name !== "fast" && name !== "hardened") return startBaseline(name);
  const env = name === "hardened" ? { WEFT_HOST_PROFILE: name } : {};
  const weft = await startWeft({ dataDir: `${dataDir}/${name}`, env, profileDir });
  return { url: callUrl(weft), pid: weft.pid, weft, stop: weft.stop };
}

/** One checked call, so that nothing else is measured than what the case says. */
async function check({ ref, cached, name }: LoadCase, { url, headers, body }: Load): Promise<void> {
  const send = () => fetch(url, { method: "POST", headers, body });
  if (cached) await (await send()).arrayBuffer();
  const response = await send();
  const text = await response.text();
  const expected = ref === "ops" ? '"output":{"sum":126}' : '"output":{"echo":{"text":"hello"';
  const cache = cached ? "hit" : "bypass";
  const isRight = response.ok && text.includes(expected);
  if (isRight && (ref === null || response.headers.get("x-weft-cache") === cache)) return;
  throw new Error(`${name}: unexpected answer ${response.status} ${text.slice(0, 300)}`);
}

async function prepare(item: LoadCase, { url, pid, weft }: Running, { upstream, quick }: Bench): Promise<Contender> {
  const input = { text: "hello", upstream };
  const body = toCallBody(item.ref ?? "echo", input, item.cached ? {} : { no_cache: true });
  const headers = weft?.headers ?? { "content-type": "application/json" };
  const load = { url, headers, body, connections: item.connections };
  const contender: Contender = { pid, load, rounds: [], failure: null };
  try {
    if (item.ref !== null) await weft?.deploy(item.ref);
    await check(item, load);
    await measureLoad(load, pid, (quick ? QUICK : FULL).warmUpMs);
  } catch (error) {
    contender.failure = String(error);
  }
  return contender;
}

async function measureRound(contender: Contender, ms: number): Promise<void> {
  if (contender.failure !== null) return;
  try {
    contender.rounds.push(await measureLoad(contender.load, contender.pid, ms));
  } catch (error) {
    contender.failure = String(error);
  }
}

function toLoadRow(item: LoadCase, contenders: ReadonlyMap<string, Contender>): Row {
  const { name, goal, baseline } = item;
  const { rounds = [], failure = null } = contenders.get(name) ?? {};
  if (failure !== null || rounds.length === 0) return toRow(name, { goal, baseline, failure: failure ?? "no rounds" });
  const base = baseline === null ? null : (contenders.get(baseline)?.rounds ?? null);
  const ratio = base === null ? null : medianRatio(rounds, base);
  return toRow(name, { ...medianRound(rounds), ratio, baseline, goal });
}

/** Measures load cases in turn, several rounds, so that what else the machine does hits all of them alike. */
export async function runLoadCases(cases: readonly LoadCase[], bench: Bench): Promise<readonly Row[]> {
  const servers = new Map<ServerName, Running>();
  return withDataDir(async (dataDir) => {
    try {
      const contenders = new Map<string, Contender>();
      for (const item of cases) {
        const server = servers.get(item.server) ?? (await startServer(item.server, dataDir, bench));
        servers.set(item.server, server);
        contenders.set(item.name, await prepare(item, server, bench));
      }
      const { rounds, roundMs } = bench.quick ? QUICK : FULL;
      for (let round = 0; round < rounds; round++) {
        for (const contender of contenders.values()) await measureRound(contender, roundMs);
      }
      return cases.map((item) => toLoadRow(item, contenders));
    } finally {
      await Promise.all([...servers.values()].map((server) => server.stop()));
    }
  });
}
