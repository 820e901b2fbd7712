import { workflowPath } from "./api.ts";
import { type Command, firstArg } from "./command.ts";
import { asRecord, asRecords, asText } from "./json.ts";
import { showTime, table } from "./table.ts";

/** `weft versions`: every stored version of a workflow. */
export const versions: Command = {
  name: "versions",
  about: "list the versions of a workflow",
  args: [{ name: "ref", about: "the workflow" }],
  flags: [],
  examples: ["weft versions summarize"],
  async run(call) {
    const api = await call.api();
    const items = asRecords(asRecord(await api.call(workflowPath(firstArg(call), "/versions")))["data"]);
    if (call.json) return call.terminal.print(JSON.stringify(items));
    const rows = items.map((item) => [
      item["active"] === true ? "*" : "",
      asText(item["version_number"]) ?? "",
      showTime(item["created_at"]),
      asText(item["notes"]) ?? "",
    ]);
    for (const line of table(["", "version", "uploaded", "notes"], rows, call.terminal)) call.terminal.print(line);
  },
};
