import { afterEach, expect, test } from "vitest";
import type { ErrorRecord } from "../../runtime/index.ts";
import { HostProcess, type Loss, type RunListener } from "../../runtime/worker/host-process.ts";
import type { StartFacts } from "../../sandbox/wire.ts";

/** What a listener that behaves like the real one was told. */
interface Told {
  readonly failures: ErrorRecord[];
  readonly levels: string[];
  readonly turns: number[];
  readonly losses: Loss[];
}

let host: HostProcess | null = null;
afterEach(() => host?.kill());

/** A host that an attacker has taken over: it answers every start with these frames. */
async function taken(...frames: readonly string[]): Promise<Told> {
  const source = `const { Socket } = require("node:net");
    const socket = new Socket({ fd: 3, readable: true, writable: true });
    socket.on("error", () => process.kill(process.pid, "SIGKILL"));
    socket.on("data", (data) => { if (String(data).startsWith("S")) socket.write(${JSON.stringify(`${frames.join("\n")}\n`)}); });
    socket.write("R\\n");`;
  host = new HostProcess({ profile: "fast", source, loadBundle: () => Promise.resolve(null), onExit: () => undefined });
  await host.ready;
  const told: Told = { failures: [], levels: [], turns: [], losses: [] };
  const ended = Promise.withResolvers<void>();
  const listener: RunListener = {
    op: (_pos, _name, args) => JSON.parse(args),
    drop: () => undefined,
    chunk: () => undefined,
    log(level, message) {
      JSON.parse(message);
      told.levels.push(level);
    },
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
  host.run({} as StartFacts, { data: "{}", secrets: "{}" }, listener);
  await ended.promise;
  return told;
}

test.each([
  ["an op whose arguments are no JSON", "o\t1\t0\tsleep\tnot json\t"],
  ["a log line that is no JSON", "l\t1\t0\tinfo\tnot json\t"],
  ["a chunk whose number is none", "e\t1\t0.5\tp\t1\t1"],
])("%s costs its execution only", async (_, frame) => {
  const { failures, turns } = await taken(frame, "t\t1\t0");
  expect(failures.map(({ code }) => code)).toEqual(["EXECUTION_FAILED"]);
  expect(turns).toEqual([0]);
});

test("frames that mean nothing, of runs that do not exist and with too few fields are ignored", async () => {
  const { failures, turns } = await taken(
    "",
    "\t\t\t",
    "?",
    "o",
    "o\t99\t0\tsleep\t{}\t",
    "k",
    "d\t99\tX\t1\t,,7",
    "h\tNaN",
    "t\t1\t0",
  );
  expect([failures, turns]).toEqual([[], [0]]);
});

test.each(["NaN", "Infinity", "x", ""])(
  "a turn that took %j ms took none: the store takes only numbers",
  async (ms) => {
    const { turns } = await taken(`t\t1\t${ms}`);
    expect(turns).toEqual([0]);
  },
);

test("an unknown log level is info", async () => {
  const { levels } = await taken('l\t1\t0\tevil\t"text"\t', "t\t1\t0");
  expect(levels).toEqual(["info"]);
});

test.each(["d\t1\tINTERNAL\t1\t", "x\t1\tconstructor"])("an unknown cause of loss is memory: %j", async (frame) => {
  const { losses } = await taken(frame);
  expect(losses).toMatchObject([{ sure: true, code: "MEMORY_LIMIT_EXCEEDED" }]);
});
