import { resolve } from "node:path";
import type { Bundle, Runtime } from "../../runtime/index.ts";
import type { Recording } from "../recording/format.ts";
import { openRecording } from "../recording/recording-file.ts";
import { type ComparedCall, type ReplayReport, replayRecording, type Verdict } from "../recording/replay-recording.ts";
import { openOffline } from "../testing/replay-fixture.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { stop } from "./exit.ts";
import { parseJson, showValue } from "./json.ts";
import { showLogLine } from "./logs.ts";
import { DEFAULT_INSPECT, openInspected } from "./replay-inspected.ts";
import { collectSources } from "./sources.ts";
import type { Terminal } from "./terminal.ts";

/** The bundle of script files on disk. */
export function bundleFiles(runtime: Runtime, call: CommandCall, files: readonly string[]): Promise<Bundle> {
  const sources = collectSources(files, call.io.cwd);
  return runtime.bundle({
    files: sources.map(({ path, text }) => ({ path, text })),
    entry: sources[0]?.path ?? "",
  });
}

const CALL_WIDTH = 2_000;
const shortened = (value: unknown) => {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return text.length > CALL_WIDTH ? `${text.slice(0, CALL_WIDTH)}…` : text;
};

/** Two values below each other, as a person compares them. */
export function showBoth(recorded: unknown, replayed: unknown, terminal: Terminal): readonly string[] {
  return [terminal.red(`- recorded: ${shortened(recorded)}`), terminal.green(`+ now:      ${shortened(replayed)}`)];
}

/** A verdict in words: the first line says what it is. */
function describeVerdict(verdict: Verdict, terminal: Terminal): readonly string[] {
  switch (verdict.verdict) {
    case "identical":
      return [terminal.green("identical")];
    case "differs":
      return [terminal.red(`differs: ${verdict.part}`), ...showBoth(verdict.recorded, verdict.replayed, terminal)];
    case "diverges": {
      const { position, message, recorded, replayed } = verdict;
      const told = (call: ComparedCall | null) => (call === null ? "(no call)" : `${call.op} ${call.args ?? ""}`);
      const both = showBoth(told(recorded), told(replayed), terminal);
      return [terminal.red(`diverges at ctx call ${position}`), message, ...both];
    }
    case "crashes":
      return [terminal.red(`crashes: ${verdict.error.message}`), shortened(verdict.error.details["stack"] ?? "")];
  }
}

function showRun({ outcome, logs, chunks }: ReplayReport, call: CommandCall): void {
  const { terminal } = call;
  for (const line of logs) {
    const fields = line.fields === null ? null : parseJson(line.fields);
    terminal.note(showLogLine({ ...line, fields }, terminal));
  }
  for (const { type, content, text } of chunks)
    if (!text) terminal.note(terminal.dim(`[${String(parseJson(type))}] ${content}`));
  if (outcome.status === "completed") terminal.print(showValue(parseJson(outcome.output ?? "null")));
  else if (outcome.status === "failed")
    terminal.note(shortened(outcome.error.details["stack"] ?? outcome.error.message));
}

/** What may be the reason where secrets are missing: a script that encodes or measures one does something else with a stand-in. */
function hintOf({ head }: Recording, given: Readonly<Record<string, string>>): string {
  const missing = head.execution.secretNames.filter((name) => !Object.hasOwn(given, name));
  if (missing.length === 0) return "";
  return ` Stand-ins took the place of ${missing.join(", ")}: give the values with --secret if the script encodes or measures them.`;
}

/** `weft replay`: runs a recording again, without network. */
export const replay: Command = {
  name: "replay",
  about: "run a pulled execution again from its file: no network, no cost, the same result",
  args: [{ name: "file", about: "a file that `weft pull` wrote" }],
  flags: [
    { flags: "--code <file>", about: "run this script instead of the recorded one and compare" },
    {
      flags: "--inspect [address]",
      about: `wait for a debugger (host:port, default ${DEFAULT_INSPECT}); runs WITHOUT the sandbox: only for scripts of your own`,
    },
    {
      flags: "--secret <NAME=value>",
      about: "value of a secret that the script looks at; default: a stand-in",
      repeat: true,
    },
  ],
  examples: [
    "weft replay exec_0123456789abcdef0123456789abcdef.weft.jsonl",
    "weft replay exec_0123456789abcdef0123456789abcdef.weft.jsonl --code summarize.ts",
  ],
  async run(call) {
    const { terminal, options } = call;
    const recording = await openRecording(resolve(call.io.cwd, firstArg(call)), firstArg(call));
    const runtime = await openOffline();
    const inspect = options.text("inspect") ?? (options.flag("inspect") ? DEFAULT_INSPECT : null);
    try {
      const code = options.text("code");
      const bundle = code === undefined ? recording.bundle : await bundleFiles(runtime, call, [code]);
      const runner = inspect === null ? runtime : await openInspected(call, inspect, recording);
      const what = `Replaying ${recording.records.length} deliveries`;
      const secrets = options.pairs("secret");
      const report = await terminal.during(what, () => replayRecording(runner, recording, { bundle, secrets }));
      const { verdict, outcome, chunks, logs } = report;
      if (call.json) terminal.print(JSON.stringify({ ...verdict, outcome, chunks, logs }));
      else {
        showRun(report, call);
        for (const line of describeVerdict(verdict, terminal)) terminal.note(line);
      }
      if (verdict.verdict !== "identical")
        throw stop("failed", `The replay is not the recorded run: ${verdict.verdict}.${hintOf(recording, secrets)}`);
    } finally {
      await runtime.close();
    }
  },
};
