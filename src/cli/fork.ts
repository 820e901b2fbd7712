import { type Command, firstArg } from "./command.ts";
import { deploySources, versionOf } from "./deploy.ts";
import { stop } from "./exit.ts";
import { asRecord, asText, parseJson } from "./json.ts";
import { readRun } from "./logs.ts";
import { collectSources } from "./sources.ts";

/** The value of `--set path=value`: JSON where it is JSON, else the text itself. */
function toValue(text: string): unknown {
  const parsed = parseJson(text);
  return parsed === undefined ? text : parsed;
}

function parseAt(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw stop("usage", `--at: must be the position of a ctx call, a whole number from 0, got "${text}"`);
}

/** `weft fork`: goes on from the recorded beginning of an execution. */
export const fork: Command = {
  name: "fork",
  about: "start an execution that shares the first calls of another one and pays only for what follows",
  args: [{ name: "execution", about: "execution id" }],
  flags: [
    { flags: "--at <position>", about: "take over the ctx calls below this position (see `weft trace`); default: all" },
    { flags: "--code <file>", about: "go on with this script; it is stored as a version that is not active" },
    { flags: "--version-number <version>", about: "go on with this stored version" },
    { flags: "--set <path=value>", about: "change a value, for example input.customer=42", repeat: true },
    { flags: "--secret <NAME=value>", about: "a secret; those of the execution must be given again", repeat: true },
  ],
  examples: [
    "weft fork exec_0123456789abcdef0123456789abcdef --at 3 --code summarize.ts",
    "weft fork exec_0123456789abcdef0123456789abcdef --at 0 --set input.text=Hello",
  ],
  async run(call) {
    const { options, terminal, io } = call;
    const id = firstArg(call);
    const at = parseAt(options.text("at"));
    const api = await call.api();
    const code = options.text("code");
    let version = options.text("version-number");
    if (code !== undefined) {
      if (version !== undefined) throw stop("usage", "--code and --version-number exclude each other");
      const ref = asText((await readRun(api, id))["workflow_ref_name"]) ?? "";
      version = versionOf(await deploySources(call, ref, collectSources([code], io.cwd), { activate: false }));
    }
    const set = Object.fromEntries(Object.entries(options.pairs("set")).map(([path, value]) => [path, toValue(value)]));
    const json = { at, version, set, secrets: options.pairs("secret") };
    const run = asRecord(await api.call(`/api/v1/runs/${encodeURIComponent(id)}/fork`, { method: "POST", json }));
    if (call.json) return terminal.print(JSON.stringify(run));
    const forked = asText(run["id"]) ?? "";
    terminal.print(forked);
    terminal.note(terminal.dim(`  Follow it with: weft logs ${forked} --follow`));
  },
};
