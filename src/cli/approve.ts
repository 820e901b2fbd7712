import type { Api } from "./api.ts";
import { readApprovals } from "./approvals.ts";
import { type Command, firstArg } from "./command.ts";
import { stop } from "./exit.ts";
import { readInput } from "./input.ts";
import { asText, dataOf } from "./json.ts";

/** The id of a question that is named itself or by its run. */
async function findId(api: Api, named: string): Promise<string> {
  if (named.startsWith("apr_")) return named;
  const open = (await readApprovals(api)).filter((item) => asText(item["run"]) === named);
  const [only] = open;
  const ids = open.map((item) => asText(item["id"]) ?? "");
  if (only !== undefined && open.length === 1) return ids[0] ?? "";
  if (only === undefined) throw stop("refused", `${named}: this run has no open question.`);
  throw stop("usage", `${named}: this run has ${open.length} open questions; name one of ${ids.join(", ")}`);
}

/** `weft approve`: decides a question. */
export const approve: Command = {
  name: "approve",
  about: "approve (or reject) what a run asks",
  args: [{ name: "id", about: "id of the question, or of the run that asks it" }],
  flags: [
    { flags: "--reject", about: "reject it" },
    { flags: "--data <json>", about: "what the run wants to know: JSON, @file, or - for stdin" },
    { flags: "--comment <text>", about: "why" },
  ],
  examples: [
    "weft approve apr_0123456789abcdef0123456789abcdef",
    `weft approve exec_0123456789abcdef0123456789abcdef --reject --comment "too much"`,
  ],
  async run(call) {
    const { options, terminal } = call;
    const data = await readInput(options.text("data"), call.io, "--data");
    const api = await call.api();
    const id = await findId(api, firstArg(call));
    const approved = !options.flag("reject");
    const json = { approved, data, comment: options.text("comment") };
    const path = `/api/v1/approvals/${encodeURIComponent(id)}`;
    const decided = dataOf(await api.call(path, { json }));
    if (call.json) return terminal.print(JSON.stringify(decided));
    const what = approved ? terminal.green("✓ approved") : terminal.red("✗ rejected");
    terminal.print(`${what} ${terminal.bold(asText(decided["title"]) ?? id)}`);
  },
};
