import { type Api, runPath } from "./api.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { asNumber, asRecord, asText, type JsonRecord, parseJson } from "./json.ts";
import { showLogLine } from "./logs.ts";
import { paintStatus, showCost, showEnding, showSpan, showTokens } from "./run-facts.ts";
import { readNamedEvents } from "./sse.ts";
import { showTime } from "./table.ts";

const EXECUTION = /^(exec_[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

interface LiveEvent {
  readonly event: string;
  readonly data: JsonRecord;
}

async function* follow(api: Api, path: string): AsyncGenerator<LiveEvent> {
  const response = await api.send(path);
  try {
    for await (const { event, data } of readNamedEvents(response.body ?? new ReadableStream())) {
      yield { event, data: asRecord(parseJson(data)) };
    }
  } catch (cause) {
    throw api.lost(cause);
  }
}

function showSpanEvent(span: JsonRecord, { terminal }: CommandCall): string {
  const usage = asRecord(span["usage"]);
  const facts = [showSpan(span["duration_ms"]), `${showTokens(usage)} tokens`, showCost(usage["cost_usd"])];
  const error = asText(asRecord(span["error"])["message"]);
  const name = terminal.cyan(asText(span["name"]) ?? "");
  return `${name} ${terminal.dim(facts.join(" · "))}${error === null ? "" : ` ${terminal.red(error)}`}`;
}

function showEvent({ event, data }: LiveEvent, call: CommandCall): string | null {
  switch (event) {
    case "log":
      return showLogLine(data, call.terminal);
    case "span":
      return showSpanEvent(data, call);
    case "chunks":
      return call.terminal.dim(`${asNumber(data["count"]) ?? 0} chunks`);
    default:
      return event === "status" ? showEnding(data, call.terminal) : null;
  }
}

/** One change of any run: when, which, what. */
function showChange(change: JsonRecord, { terminal }: CommandCall): string {
  const status = paintStatus((asText(change["status"]) ?? "").padEnd("completed".length), terminal);
  const at = terminal.dim(showTime(change["at"]));
  return `${at} ${status} ${asText(change["id"])} ${asText(change["workflow_ref_name"])}`;
}

async function tailRun(call: CommandCall, id: string): Promise<void> {
  for await (const event of follow(await call.api(), runPath(id, "/events"))) {
    const line = call.json ? JSON.stringify(event) : showEvent(event, call);
    if (line !== null) call.terminal.print(line);
  }
}

async function tailAll(call: CommandCall, ref: string | null): Promise<void> {
  for await (const { event, data } of follow(await call.api(), "/api/v1/runs/events")) {
    if (event === "reset") call.terminal.note("Some changes were missed.");
    if (event !== "status" || (ref !== null && data["workflow_ref_name"] !== ref)) continue;
    call.terminal.print(call.json ? JSON.stringify(data) : showChange(data, call));
  }
}

/** `weft tail`: what happens, as it happens. */
export const tail: Command = {
  name: "tail",
  about: "follow an execution (status, logs, calls), or all those of a workflow or of the account",
  args: [{ name: "execution-or-ref", about: "execution id or workflow; all without it", optional: true }],
  flags: [],
  examples: ["weft tail", "weft tail hello", "weft tail exec_0123456789abcdef0123456789abcdef"],
  async run(call) {
    const named = firstArg(call);
    if (EXECUTION.test(named)) return tailRun(call, named);
    return tailAll(call, named === "" ? null : named);
  },
};
