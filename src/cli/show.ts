import { type Command, type CommandCall, firstArg } from "./command.ts";
import { asNumber, asRecord, asText, type JsonRecord, showValue } from "./json.ts";
import { readRun } from "./logs.ts";
import { showCost, showEnding, showSpan } from "./run-facts.ts";
import { showTime } from "./table.ts";

const LABEL = 10;

function timesOf(run: JsonRecord): string {
  const timings = asRecord(run["timings"]);
  const parts = ["queued", "running", "waiting"].map((name) => `${name} ${showSpan(timings[`${name}_ms`])}`);
  return parts.join(" · ");
}

/** Why it waits where that is its budget; null otherwise. */
function budgetOf(run: JsonRecord): string | null {
  if (run["waiting_reason"] !== "budget") return null;
  const lack = asRecord(asRecord(run["budget"])["waits_for"]);
  const payer = asText(lack["execution_id"]) ?? "account";
  return `used up: ${lack["spent"]} of ${lack["max"]} (${lack["limit"]}); weft budget add ${payer}`;
}

function factsOf(run: JsonRecord, { terminal }: CommandCall): readonly (readonly [string, string | null])[] {
  const usage = asRecord(run["usage"]);
  const children = Array.isArray(run["children"]) ? run["children"].length : 0;
  const calls = asNumber(usage["ctx_calls"]) ?? 0;
  return [
    ["execution", asText(run["id"])],
    ["workflow", `${asText(run["workflow_ref_name"])}@${asText(run["version"])}`],
    ["status", `${showEnding(run, terminal)}${run["cached"] === true ? " (cached)" : ""}`],
    ["mode", asText(run["mode"])],
    ["created", showTime(run["created_at"])],
    ["times", timesOf(run)],
    ["session", asText(run["session_id"])],
    ["parent", asText(run["parent_run"])],
    ["calls", `${calls} · ${asNumber(usage["total_tokens"]) ?? 0} tokens · ${showCost(usage["cost_usd"])}`],
    ["budget", budgetOf(run)],
    ["children", children === 0 ? null : String(children)],
  ];
}

function stackOf(run: JsonRecord): string | null {
  return asText(asRecord(asRecord(run["error"])["details"])["stack"]);
}

/** `weft show`: one execution with input, output, error and where its time went. */
export const show: Command = {
  name: "show",
  about: "show an execution: input, output, error, times, usage",
  args: [{ name: "execution", about: "execution id" }],
  flags: [],
  examples: ["weft show exec_0123456789abcdef0123456789abcdef"],
  async run(call) {
    const { terminal } = call;
    const run = await readRun(await call.api(), firstArg(call));
    if (call.json) return terminal.print(JSON.stringify(run));
    for (const [label, value] of factsOf(run, call)) {
      if (value !== null) terminal.print(`${terminal.dim(label.padEnd(LABEL))} ${value}`);
    }
    const stack = stackOf(run);
    if (stack !== null) terminal.print(`\n${stack}`);
    const messages = Array.isArray(run["messages"]) && run["messages"].length > 0 ? run["messages"] : null;
    const values = { input: run["input"], messages, metadata: run["metadata"], output: run["output"] };
    for (const [label, value] of Object.entries(values)) {
      const isEmpty = value === null || value === undefined || JSON.stringify(value) === "{}";
      if (!isEmpty) terminal.print(`\n${terminal.bold(label)}\n${showValue(value)}`);
    }
  },
};
