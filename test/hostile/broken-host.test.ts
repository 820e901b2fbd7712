import { afterEach, expect, test } from "vitest";
import type { ErrorRecord } from "../../runtime/index.ts";
import { HostProcess, type Loss, type RunListener } from "../../runtime/worker/host-process.ts";
import type { StartFacts } from "../../sandbox/wire.ts";

/** What a listener that behaves like the real one was told. */
interface Told {
  readonly failures: ErrorRecord[];
  readonly levels: string[];
  readonly turns: number[];
  readonly chunks: string[];
  readonly losses: Loss[];
  readonly asked: string[];
}

const LIMITS = {
  ...{ maxOutputBytes: 1_000, maxArgBytes: 1_000, maxChunkBytes: 100, maxChunks: 3, maxChunkTotalBytes: 150 },
  ...{ maxLogLines: 2, maxLogLineBytes: 100, maxConcurrentOps: 2, maxTools: 1, maxToolCalls: 1, maxToolTextBytes: 1 },
};
const FACTS = { bundleHash: "mine", turnMs: 100, limits: LIMITS } as StartFacts;

let host: HostProcess | null = null;
afterEach(() => host?.kill());

/** Frames, each a line. */
const lines = (...frames: readonly string[]) => `${frames.join("\n")}\n`;

/** A host that an attacker has taken over: it answers every start with `text`, again and again when `endless`. */
async function taken(text: string, { endless = false, silenceMs = 30_000 } = {}): Promise<Told> {
  const source = `const { Socket } = require("node:net");
    const socket = new Socket({ fd: 3, readable: true, writable: true });
    const text = ${JSON.stringify(text)};
    socket.on("error", () => process.kill(process.pid, "SIGKILL"));
    const write = () => { socket.write(text, ${endless ? "write" : ""}); };
    socket.on("data", (data) => { if (String(data).startsWith("S")) write(); });
    socket.write("R\\n");
    setInterval(() => socket.write("h\\t1\\n"), 100);`;
  const told: Told = { failures: [], levels: [], turns: [], chunks: [], losses: [], asked: [] };
  const loadBundle = async (hash: string) => {
    told.asked.push(hash);
    return null;
  };
  host = new HostProcess({ profile: "fast", source, wall: null, loadBundle, silenceMs, onExit: () => undefined });
  await host.ready;
  const ended = Promise.withResolvers<void>();
  const listener: RunListener = {
    op: () => undefined,
    drop: () => true,
    chunk: ({ content }) => void told.chunks.push(content),
    log: (level) => void told.levels.push(level),
    done: () => undefined,
    failed: (_, record) => void told.failures.push(JSON.parse(record) as ErrorRecord),
    turn(cpuMs) {
      told.turns.push(cpuMs);
      ended.resolve();
    },
    lost(loss) {
      told.losses.push(loss);
      ended.resolve();
    },
  };
  host.run(FACTS, { data: "{}", secrets: "{}" }, listener);
  await ended.promise;
  return told;
}

const CHUNK = 'e\t1\t0\t"x"\t1\t0';
const LOG = 'l\t1\t0\tinfo\t"text"\t';

test.each<[what: string, ...frames: string[]]>([
  ["an op whose arguments are no JSON", "o\t1\t0\tsleep\tnot json\t"],
  ["more log lines than it may", LOG, LOG, LOG],
  ["the same chunk twice", CHUNK, CHUNK],
  ["an output that is nested too deeply", `k\t1\t0\t${"[".repeat(600)}${"]".repeat(600)}`],
])("%s costs its execution only", async (_, ...frames) => {
  const { failures, turns, losses } = await taken(lines(...frames, "t\t1\t0"));
  expect(failures[0]?.code).toMatch(/^(EXECUTION_FAILED|LIMIT_EXCEEDED)$/);
  expect([failures.length, turns, losses]).toEqual([1, [0], []]);
});

test("frames of a run that has ended are ignored", async () => {
  const { failures, turns } = await taken(lines(CHUNK, "t\t0\t0", "u\t0\t5\t\t\t", "t\t1\t2500"));
  expect([failures, turns]).toEqual([[], [2.5]]);
});

test("an unknown log level is info", async () => {
  const { levels } = await taken(lines('l\t1\t0\tevil\t"text"\t', "t\t1\t0"));
  expect(levels).toEqual(["info"]);
});

const put = { sure: false, suspect: true, code: "EXECUTION_FAILED" };

test.each(["", "o\t2\t0\tsleep\t{}\t", "t\t1\tNaN", "R", "N\tof-somebody-else", "d\t1\tINTERNAL\t1\t"])(
  "a host that sends %j is put down, and what it says afterwards counts for nothing",
  async (frame) => {
    const { losses, failures, turns, chunks, asked } = await taken(lines(frame, CHUNK, "t\t1\t0"));
    expect([losses, failures, turns, chunks, asked]).toEqual([[put], [], [], [], []]);
  },
);

test("a host asks for the bundle of a run once", async () => {
  const { asked, losses } = await taken(lines("N\tmine", "N\tmine"));
  expect([asked, losses]).toEqual([["mine"], [put]]);
});

test("a turn ends once", async () => {
  const { turns } = await taken(lines("t\t1\t0", "t\t1\t0"));
  await host?.exited;
  expect(turns).toEqual([0]);
});

test("a frame without end is not kept", async () => {
  const { losses } = await taken("x".repeat(100_000), { endless: true });
  expect(losses).toEqual([put]);
});

test("a host whose heart beats while its turn never ends is put down", async () => {
  const { losses } = await taken(lines(CHUNK), { silenceMs: 200 });
  expect(losses).toEqual([{ sure: false, suspect: true, code: "CPU_LIMIT_EXCEEDED" }]);
});
