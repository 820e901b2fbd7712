import type { Command } from "./command.ts";
import { asRecord, asRecords, asText, type JsonRecord } from "./json.ts";
import { table } from "./table.ts";

const PAGE = 100;

/** `weft list`: the workflows of the account. */
export const list: Command = {
  name: "list",
  about: "list the workflows",
  args: [],
  flags: [],
  examples: ["weft list", "weft list --json"],
  async run(call) {
    const api = await call.api();
    const items: JsonRecord[] = [];
    for (let total = 1; items.length < total; ) {
      const page = asRecord(await api.call(`/api/v1/workflows?limit=${PAGE}&offset=${items.length}`));
      const found = asRecords(page["data"]);
      items.push(...found);
      total = found.length === 0 ? 0 : Number(asRecord(page["pagination"])["total"] ?? 0);
    }
    if (call.json) return call.terminal.print(JSON.stringify(items));
    if (items.length === 0)
      return call.terminal.note("There are no workflows yet. Upload one with: weft deploy <file>");
    const rows = items.map((item) => [
      asText(item["workflow_ref_name"]) ?? "",
      asText(item["active_version"]) ?? "–",
      asText(item["description"]) || (asText(item["workflow_name"]) ?? ""),
    ]);
    for (const line of table(["ref", "version", "description"], rows, call.terminal)) call.terminal.print(line);
  },
};
