import { actionArgument, actionOf } from "./action.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { asRecord, asRecords, asText } from "./json.ts";
import { table } from "./table.ts";

const BASE = "/api/v1/workflows";
const ACTIONS = ["list", "show", "use"];

async function list(call: CommandCall): Promise<void> {
  const items = asRecords(asRecord(await (await call.api()).call(`${BASE}/templates?limit=100`))["templates"]);
  if (call.json) return call.terminal.print(JSON.stringify(items));
  const rows = items.map((item) => [
    asText(item["id"]) ?? "",
    asText(item["category"]) ?? "",
    asText(item["description"]) ?? "",
  ]);
  for (const line of table(["template", "category", "what it does"], rows, call.terminal)) call.terminal.print(line);
}

async function use(call: CommandCall, template: string): Promise<void> {
  const name = call.options.text("name");
  const json = { template_id: template, ...(name === undefined ? {} : { name }) };
  const made = asRecord(await (await call.api()).call(`${BASE}/from-template`, { json }));
  if (call.json) return call.terminal.print(JSON.stringify(made));
  const { terminal } = call;
  terminal.print(`${terminal.green("✓")} ${terminal.bold(asText(made["ref"]) ?? "")} (${asText(made["id"])})`);
  terminal.note(`Run it with: weft graph run ${asText(made["ref"])} --input '{…}'`);
}

/** `weft templates`: workflows to start from. */
export const templates: Command = {
  name: "templates",
  about: "list templates of graphs, and make workflows from them",
  args: [actionArgument(ACTIONS), { name: "template", about: "its id", optional: true }],
  flags: [{ flags: "--name <name>", about: "use: name of the new workflow" }],
  examples: ["weft templates", "weft templates use tmpl_support_triage"],
  async run(call) {
    const [, template = ""] = call.args;
    const action = actionOf(call, ACTIONS);
    if (action === "list") return list(call);
    if (template === "") throw stop("usage", `${action}: needs the id of a template`);
    if (action === "use") return use(call, template);
    const found = await (await call.api()).call(`${BASE}/templates/${encodeURIComponent(template)}`);
    call.terminal.print(call.json ? JSON.stringify(found) : JSON.stringify(found, null, 2));
  },
};
