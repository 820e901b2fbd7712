import { type Api, runPath } from "./api.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { asNumber, asRecord, asText, type JsonRecord } from "./json.ts";
import { readAll } from "./pages.ts";
import { pause } from "./pause.ts";
import { showTime } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const PAGE = 500;
const POLL_MS = 500;
const ENDED = new Set(["completed", "failed", "cancelled"]);

/** One log line as a person reads it. */
export function showLogLine(line: JsonRecord, terminal: Terminal): string {
  const level = asText(line["level"]) ?? "info";
  const paint = level === "error" ? terminal.red : level === "warn" ? terminal.yellow : terminal.dim;
  const fields = line["fields"];
  const shown = fields === null || fields === undefined ? "" : ` ${terminal.dim(JSON.stringify(fields))}`;
  return `${terminal.dim(showTime(line["at"]))} ${paint(level.padEnd(5))} ${asText(line["message"]) ?? ""}${shown}`;
}

/** The log lines of an execution from index `from` on. */
export function readLogs(api: Api, id: string, from: number): Promise<readonly JsonRecord[]> {
  return readAll(api, runPath(id, "/logs"), { size: PAGE, parameter: "from", first: from });
}

/** The run object of an execution. */
export async function readRun(api: Api, id: string): Promise<JsonRecord> {
  const answer = asRecord(await api.call(runPath(id)));
  return answer["data"] === undefined ? answer : asRecord(answer["data"]);
}

function showEnd(run: JsonRecord, call: CommandCall): void {
  const { terminal } = call;
  const status = asText(run["status"]) ?? "unknown";
  const error = asText(asRecord(run["error"])["message"]);
  const took = asNumber(run["duration_ms"]);
  const facts = [status, ...(took === null ? [] : [`${took} ms`]), ...(error === null ? [] : [error])].join(" · ");
  terminal.note(status === "failed" ? terminal.red(facts) : terminal.dim(facts));
}

/** `weft logs`: what an execution logged. */
export const logs: Command = {
  name: "logs",
  about: "print what an execution logged",
  args: [{ name: "execution", about: "execution id" }],
  flags: [{ flags: "--follow", about: "go on until the execution ends" }],
  examples: ["weft logs exec_0123456789abcdef0123456789abcdef --follow"],
  async run(call) {
    const { terminal, io } = call;
    const id = firstArg(call);
    const api = await call.api();
    for (let seen = 0; ; await pause(POLL_MS, io.signal)) {
      // The status is read first: what was logged before the end is then certain to be read too.
      const run = await readRun(api, id);
      const lines = await readLogs(api, id, seen);
      seen += lines.length;
      for (const line of lines) terminal.print(call.json ? JSON.stringify(line) : showLogLine(line, terminal));
      const ended = ENDED.has(String(run["status"]).toLowerCase());
      if (!ended && call.options.flag("follow")) continue;
      return showEnd(run, call);
    }
  },
};
