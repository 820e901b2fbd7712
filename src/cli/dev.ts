import { resolve } from "node:path";
import { CALL_FLAGS, toCallBody } from "./call-body.ts";
import { callStream, showAnswer, showFrames } from "./call-stream.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { deploySources, versionOf } from "./deploy.ts";
import { exitOf, stop } from "./exit.ts";
import { readLogs, showLogLine } from "./logs.ts";
import { showError } from "./show-error.ts";
import { collectSources, type LocalFile, refOf } from "./sources.ts";
import { untilChanged } from "./watch.ts";

async function showLogs(call: CommandCall, executionId: string | null): Promise<void> {
  if (executionId === null || call.json) return;
  const lines = await readLogs(await call.api(), executionId, 0);
  for (const line of lines) call.terminal.note(showLogLine(line, call.terminal));
}

/** One deployment and run of the sources as they are now; `signal` aborts when a file changed meanwhile. */
interface Round {
  readonly ref: string;
  readonly sources: readonly LocalFile[];
  readonly signal: AbortSignal;
  readonly first: boolean;
}

async function deployAndRun(call: CommandCall, { ref, sources, signal }: Round): Promise<void> {
  const { terminal } = call;
  const deployment = await deploySources(call, ref, sources);
  terminal.note(terminal.dim(`── ${ref} ${versionOf(deployment)} · ${new Date().toLocaleTimeString()} ──`));
  const body = { ...(await toCallBody(call, ref)), on_disconnect: "cancel" };
  const startedAt = Date.now();
  let executionId: string | null = null;
  const started = (id: string | null) => {
    executionId = id;
  };
  const shown = call.json ? { frame: (frame: object) => terminal.print(JSON.stringify(frame)) } : showFrames(call);
  try {
    const answer = await callStream(await call.api(), body, { reader: { started, ...shown }, signal });
    if (!call.json) showAnswer(call, answer, startedAt);
  } finally {
    if (!signal.aborted) await showLogs(call, executionId);
  }
}

/** Whatever goes wrong is shown and the watching goes on; only a first round that cannot work at all ends it. */
async function runRound(call: CommandCall, round: Round): Promise<void> {
  try {
    await deployAndRun(call, round);
  } catch (thrown) {
    if (round.signal.aborted) return;
    if (round.first && exitOf(thrown) !== "failed") throw thrown;
    showError(thrown, { io: call.io, terminal: call.terminal, json: call.json, sources: round.sources });
  }
  if (!round.signal.aborted) call.terminal.note(call.terminal.dim("Waiting for a change; Ctrl-C ends."));
}

/** Runs a round and resolves when a file changed (or Ctrl-C was pressed) and the round has ended. */
async function runUntilChanged(
  call: CommandCall,
  files: readonly string[],
  round: Omit<Round, "signal">,
): Promise<void> {
  const changed = new AbortController();
  const failed = new AbortController();
  const watching = untilChanged(files, AbortSignal.any([call.io.signal, failed.signal])).then(() => changed.abort());
  try {
    await Promise.all([runRound(call, { ...round, signal: changed.signal }), watching]);
  } finally {
    failed.abort();
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
    const { io, options } = call;
    if (options.text("input") === "-")
      throw stop("usage", "--input: dev runs more than once and cannot read stdin; use @file");
    const ref = options.text("ref") ?? `${refOf(firstArg(call))}-dev`;
    let sources: readonly LocalFile[] = [];
    for (let first = true; !io.signal.aborted; first = false) {
      sources = reread(call, sources);
      const accessories = Object.values(options.pairs("accessory")).map((path) => resolve(io.cwd, path));
      const files = [...sources.map((file) => file.absolute), ...watchedInput(call), ...accessories];
      await runUntilChanged(call, files, { ref, sources, first });
    }
  },
};
