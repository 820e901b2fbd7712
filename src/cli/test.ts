import { mkdir, readdir, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import type { Bundle, Runtime } from "../../runtime/index.ts";
import type { Recording } from "../recording/format.ts";
import { readRecording } from "../recording/read-recording.ts";
import { openRecording, RECORDING_SUFFIX, writeRecording } from "../recording/recording-file.ts";
import { redactRecording } from "../recording/redact-recording.ts";
import { replayRecording } from "../recording/replay-recording.ts";
import { mismatchOf, openOffline, type ReplayMismatch } from "../testing/replay-fixture.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { readLines } from "./lines.ts";
import { recordingPath } from "./pull.ts";
import { bundleFiles, showBoth } from "./replay.ts";

const DEFAULT_DIRECTORY = "fixtures";

async function record(call: CommandCall, execution: string, directory: string): Promise<string> {
  const api = await call.api();
  const response = await api.send(recordingPath(execution, true));
  const recording = await readRecording(readLines(response, api));
  const redacted = await redactRecording(recording, call.options.list("redact"));
  const { ref, id } = recording.head.execution;
  // The name comes from the server: it must not lead out of the directory.
  const name = String(ref).replaceAll(/[^\w.-]/g, "_");
  const path = join(directory, `${name}-${id.replaceAll("-", "").slice(-12)}${RECORDING_SUFFIX}`);
  await mkdir(directory, { recursive: true });
  await writeRecording(path, redacted);
  return path;
}

async function recordAll(call: CommandCall, executions: readonly string[]): Promise<void> {
  const { terminal, io } = call;
  const directory = resolve(io.cwd, call.options.text("output") ?? DEFAULT_DIRECTORY);
  const written: string[] = [];
  await terminal.during("Recording", async (update) => {
    for (const execution of executions) {
      update(`Recording ${execution} (${written.length + 1} of ${executions.length})`);
      written.push(relative(io.cwd, await record(call, execution, directory)));
    }
  });
  if (call.json) return terminal.print(JSON.stringify({ written }));
  for (const path of written) terminal.print(`${terminal.green("✓")} ${path}`);
  terminal.note(terminal.dim("  Look at them before you commit them: only secrets and credentials were taken out."));
}

/** Fixture files that the arguments name, directories searched one level deep. */
async function fixturesOf(call: CommandCall): Promise<readonly string[]> {
  const names = call.args.length === 0 ? [DEFAULT_DIRECTORY] : call.args;
  const found: string[] = [];
  for (const name of names) {
    const path = resolve(call.io.cwd, name);
    const facts = await stat(path).catch(() => null);
    if (facts === null) throw stop("usage", `${name}: there is no such file or directory`);
    if (!facts.isDirectory()) found.push(path);
    else for (const file of await readdir(path)) if (file.endsWith(RECORDING_SUFFIX)) found.push(join(path, file));
  }
  if (found.length === 0) throw stop("usage", `${names.join(", ")}: no fixtures (*${RECORDING_SUFFIX}) there`);
  return found.sort();
}

interface Tested {
  readonly path: string;
  readonly mismatch: ReplayMismatch | null;
}

async function replayOne(runtime: Runtime, path: string, code: Bundle | null): Promise<Tested> {
  const shown = basename(path);
  const recording: Recording = await openRecording(path, shown);
  const { verdict } = await replayRecording(runtime, recording, { bundle: code ?? recording.bundle });
  return { path, mismatch: mismatchOf(verdict, recording, shown) };
}

function show({ path, mismatch }: Tested, call: CommandCall): void {
  const { terminal, io } = call;
  if (mismatch === null) terminal.print(`${terminal.green("✓")} ${relative(io.cwd, path)}`);
  else {
    terminal.print(`${terminal.red("✗")} ${mismatch.message}`);
    for (const line of showBoth(mismatch.expected, mismatch.actual, terminal)) terminal.print(`    ${line}`);
  }
}

async function replayAll(call: CommandCall): Promise<void> {
  const paths = await fixturesOf(call);
  const runtime = await openOffline();
  try {
    const file = call.options.text("code");
    const code = file === undefined ? null : await bundleFiles(runtime, call, [file]);
    const tested: Tested[] = [];
    for (const path of paths) {
      const what = `Replaying ${basename(path)} (${tested.length + 1} of ${paths.length})`;
      const one = await call.terminal.during(what, () => replayOne(runtime, path, code));
      tested.push(one);
      if (!call.json) show(one, call);
    }
    const failed = tested.filter(({ mismatch }) => mismatch !== null);
    if (call.json) {
      const results = tested.map(({ path, mismatch }) => ({
        fixture: relative(call.io.cwd, path),
        ...(mismatch?.verdict ?? { verdict: "identical" }),
      }));
      call.terminal.print(JSON.stringify(results));
    }
    if (failed.length > 0) throw stop("failed", `${failed.length} of ${tested.length} recorded runs are not the same.`);
  } finally {
    await runtime.close();
  }
}

/** `weft test`: records executions as fixtures and replays them. */
export const test: Command = {
  name: "test",
  about: "record executions as fixtures (--from), or replay fixtures: free, and a changed call misses loudly",
  args: [{ name: "fixture", about: `fixtures to replay; default: ${DEFAULT_DIRECTORY}`, many: true, optional: true }],
  flags: [
    { flags: "--from <execution>", about: "record this execution, and those that follow, instead", repeat: true },
    { flags: "--output <directory>", about: `where recordings go; default: ${DEFAULT_DIRECTORY}` },
    { flags: "--redact <text>", about: "take this text out of what is recorded, too", repeat: true },
    { flags: "--code <file>", about: "replay with this script instead of the recorded ones" },
  ],
  examples: [
    "weft test --from exec_0123456789abcdef0123456789abcdef exec_fedcba9876543210fedcba9876543210",
    "weft test --code summarize.ts",
  ],
  async run(call) {
    const from = call.options.list("from");
    // `--from one two`: what follows is meant, too.
    if (from.length > 0) await recordAll(call, [...from, ...call.args]);
    else await replayAll(call);
  },
};
