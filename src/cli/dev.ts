import { resolve } from "node:path";
import { CALL_FLAGS, toCallBody } from "./call-body.ts";
import { callStream, showAnswer, showFrames } from "./call-stream.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { deploySources, versionOf } from "./deploy.ts";
import { stop } from "./exit.ts";
import { asRecord } from "./json.ts";
import { readLogs, showLogLine } from "./logs.ts";
import { showError } from "./show-error.ts";
import { collectSources, type LocalFile, refOf } from "./sources.ts";
import { untilChanged } from "./watch.ts";

async function showLogs(call: CommandCall, executionId: string | null): Promise<void> {
  if (executionId === null || call.json) return;
  const lines = await readLogs(await call.api(), executionId, 0);
  for (const line of lines) call.terminal.note(showLogLine(line, call.terminal));
}

async function deployAndRun(
  call: CommandCall,
  ref: string,
  sources: readonly LocalFile[],
  signal: AbortSignal,
): Promise<void> {
  const { terminal } = call;
  const deployment = await deploySources(call, ref, sources);
  terminal.note(terminal.dim(`── ${ref} ${versionOf(deployment)} · ${new Date().toLocaleTimeString()} ──`));
  const body = { ...(await toCallBody(call, ref)), on_disconnect: "cancel" };
  const startedAt = Date.now();
  let executionId: string | null = null;
  const started = (id: string | null) => {
    executionId = id;
  };
  const reader = call.json
    ? { started, frame: (frame: object) => terminal.print(JSON.stringify(frame)) }
    : { started, ...showFrames(call) };
  try {
    const answer = await callStream(await call.api(), body, { reader, signal });
    if (!call.json) showAnswer(call, answer, startedAt);
  } finally {
    if (!signal.aborted) await showLogs(call, executionId);
  }
}

/** One round: whatever goes wrong with the script is shown and the watching goes on. */
async function round(
  call: CommandCall,
  ref: string,
  sources: readonly LocalFile[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await deployAndRun(call, ref, sources, signal);
  } catch (thrown) {
    if (signal.aborted) return;
    const exit = asRecord(asRecord(thrown)["details"])["exit"];
    if (exit !== "failed") throw thrown;
    showError(thrown, { io: call.io, terminal: call.terminal, json: call.json, sources });
  }
}

function watchedInput(call: CommandCall): readonly string[] {
  const input = call.options.text("input");
  return input?.startsWith("@") ? [resolve(call.io.cwd, input.slice(1))] : [];
}

/** Reads the sources; a file that is missing for a moment (editors do that) keeps the ones before. */
function reread(call: CommandCall, before: readonly LocalFile[]): readonly LocalFile[] {
  try {
    return collectSources([firstArg(call)], call.io.cwd);
  } catch (thrown) {
    if (before.length === 0) throw thrown;
    return before;
  }
}

/** `weft dev`: runs a script again whenever it changes. */
export const dev: Command = {
  name: "dev",
  about: "run a script again whenever it or a file it imports changes",
  args: [{ name: "file", about: "the script" }],
  flags: [
    ...CALL_FLAGS,
    { flags: "--ref <ref>", about: "where it is deployed; default: the file's name and -dev" },
    { flags: "--accessory <key=file>", about: "a read-only file for the script", repeat: true },
    { flags: "--env <KEY=VALUE>", about: "a value for ctx.env", repeat: true },
  ],
  examples: ["weft dev summarize.ts --input @article.json"],
  async run(call) {
    const { io, terminal, options } = call;
    if (options.text("input") === "-")
      throw stop("usage", "--input: dev runs more than once and cannot read stdin; use @file");
    const ref = options.text("ref") ?? `${refOf(firstArg(call))}-dev`;
    let sources: readonly LocalFile[] = [];
    while (!io.signal.aborted) {
      sources = reread(call, sources);
      const accessories = Object.values(options.pairs("accessory")).map((path) => resolve(io.cwd, path));
      const files = [...sources.map((file) => file.absolute), ...watchedInput(call), ...accessories];
      const rerun = new AbortController();
      const changed = untilChanged(files, io.signal).then(() => rerun.abort());
      await Promise.all([round(call, ref, sources, rerun.signal).then(() => waiting(rerun.signal)), changed]);
    }
    function waiting(signal: AbortSignal): void {
      if (!signal.aborted) terminal.note(terminal.dim("Waiting for a change; Ctrl-C ends."));
    }
  },
};
