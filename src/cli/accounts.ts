import { actionArgument, actionOf } from "./action.ts";
import type { Api } from "./api.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { asRecord, asText, dataOf, type JsonRecord } from "./json.ts";
import { readAll } from "./pages.ts";
import { table } from "./table.ts";
import { showTraffic, TRAFFIC_FLAGS, trafficOf } from "./traffic-flags.ts";

const BASE = "/api/v1/accounts";
const ACTIONS = ["list", "show", "create", "limit", "suspend", "resume"];

const pathOf = (name: string) => `${BASE}/${encodeURIComponent(name)}`;

function print(call: CommandCall, accounts: readonly JsonRecord[]): void {
  const rows = accounts.map((account) => [
    asText(account["name"]) ?? "",
    asText(account["id"]) ?? "",
    account["suspended"] === true ? "suspended" : account["owner"] === true ? "owner" : "active",
    showTraffic(account),
  ]);
  for (const line of table(["name", "id", "state", "limits"], rows, call.terminal)) call.terminal.print(line);
}

async function create(call: CommandCall, api: Api, name: string): Promise<void> {
  const data = dataOf(await api.call(BASE, { json: { name, ...trafficOf(call.options) } }));
  if (call.json) return call.terminal.print(JSON.stringify(data));
  call.terminal.print(asText(asRecord(data["key"])["key"]) ?? "");
  call.terminal.note(call.terminal.dim(`its first key, with the scope admin, for ${name}: it is not shown again`));
}

function changeOf(call: CommandCall, action: string): JsonRecord {
  if (action !== "limit") return { suspended: action === "suspend" };
  const limits = trafficOf(call.options);
  if (Object.keys(limits).length > 0) return limits;
  throw stop("usage", "limit: needs --requests-per-minute or --concurrency");
}

/** `weft accounts`: who shares the server. */
export const accounts: Command = {
  name: "accounts",
  about: "list, make, limit and suspend accounts; for the owner of the server",
  args: [actionArgument(ACTIONS), { name: "account", about: "name, or id", optional: true }],
  flags: TRAFFIC_FLAGS,
  examples: [
    "weft accounts create team-a --concurrency 50",
    "weft keys create app --account team-a",
    "weft accounts suspend team-a",
  ],
  async run(call) {
    const [, name = ""] = call.args;
    const action = actionOf(call, ACTIONS);
    if (action !== "list" && name === "") throw stop("usage", `${action}: needs the account`);
    const api = await call.api();
    if (action === "create") return create(call, api, name);
    if (action === "list") {
      const all = await readAll(api, BASE);
      return call.json ? call.terminal.print(JSON.stringify(all)) : print(call, all);
    }
    const json = action === "show" ? undefined : changeOf(call, action);
    const data = dataOf(await api.call(pathOf(name), json === undefined ? {} : { method: "PATCH", json }));
    if (call.json) call.terminal.print(JSON.stringify(data));
    else print(call, [data]);
  },
};
