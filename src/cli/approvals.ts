import type { Api } from "./api.ts";
import type { Command } from "./command.ts";
import { asText, type JsonRecord } from "./json.ts";
import { readAll } from "./pages.ts";
import { showTime, table } from "./table.ts";

/** Every question that waits for a decision, oldest first. */
export function readApprovals(api: Api): Promise<readonly JsonRecord[]> {
  return readAll(api, "/api/v1/approvals");
}

/** `weft approvals`: questions that wait for a decision. */
export const approvals: Command = {
  name: "approvals",
  about: "list the questions that wait for a decision",
  args: [],
  flags: [],
  examples: ["weft approvals", "weft approvals --json"],
  async run({ json, terminal, api }) {
    const items = await readApprovals(await api());
    if (json) return terminal.print(JSON.stringify(items));
    if (items.length === 0) return terminal.note("Nothing waits for a decision.");
    const rows = items.map((item) => [
      asText(item["id"]) ?? "",
      asText(item["workflow_ref_name"]) ?? "",
      asText(item["title"]) ?? "",
      showTime(item["created_at"]),
      asText(item["run"]) ?? "",
    ]);
    for (const line of table(["id", "workflow", "title", "asked", "execution"], rows, terminal)) terminal.print(line);
  },
};
