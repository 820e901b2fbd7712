import { actionArgument, actionOf } from "./action.ts";
import type { Api } from "./api.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { asRecord, asRecords, asText, dataOf, type JsonRecord } from "./json.ts";
import { secondsOf } from "./seconds.ts";
import { showTime, table } from "./table.ts";
import { showTraffic, TRAFFIC_FLAGS, trafficOf } from "./traffic-flags.ts";

const NEEDS: Readonly<Record<string, string>> = {
  create: "a name",
  change: "a key: its id, name or first characters",
  rotate: "a key: its id, name or first characters",
  revoke: "a key: its id, name or first characters",
};
const ACTIONS = ["list", "current", ...Object.keys(NEEDS)];

const listText = (value: unknown) => (Array.isArray(value) ? value.map(String).join(" ") : "all");

function baseOf({ options }: CommandCall): string {
  const account = options.text("account");
  return account === undefined ? "/api/v1/keys" : `/api/v1/accounts/${encodeURIComponent(account)}/keys`;
}

async function readKeys(api: Api, base: string): Promise<readonly JsonRecord[]> {
  return asRecords(asRecord(await api.call(base))["data"]);
}

/** The id of the one key that a person means. */
async function idOf(api: Api, base: string, text: string): Promise<string> {
  if (/^key_[0-9a-f]{32}$/.test(text)) return text;
  const keys = await readKeys(api, base);
  const named = keys.filter((key) => key["name"] === text);
  const found = named.length > 0 ? named : keys.filter((key) => key["prefix"] === text);
  if (found.length === 1) return asText(found[0]?.["id"]) ?? "";
  const why = found.length === 0 ? "there is no key" : `there are ${found.length} keys`;
  throw stop("refused", `${why} named ${JSON.stringify(text)}; see: weft keys`);
}

function rowOf(key: JsonRecord): readonly string[] {
  return [
    asText(key["id"]) ?? "",
    asText(key["name"]) ?? "",
    `${asText(key["prefix"])}…`,
    listText(key["scopes"]),
    listText(key["refs"]),
    showTraffic(key),
    key["expires_at"] === null ? "never" : showTime(key["expires_at"]),
    key["last_used_at"] === null ? "never" : showTime(key["last_used_at"]),
  ];
}

const HEADING = ["id", "name", "begins", "scopes", "workflows", "limits", "expires", "last used"];

function print(call: CommandCall, keys: readonly JsonRecord[]): void {
  for (const line of table(HEADING, keys.map(rowOf), call.terminal)) call.terminal.print(line);
}

function bodyOf({ options }: CommandCall): JsonRecord {
  const scopes = options.list("scope");
  const refs = options.list("ref");
  const expires = options.text("expires");
  return {
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(refs.length === 0 ? {} : { refs: refs.includes("all") ? null : refs }),
    ...(expires === undefined ? {} : { expires_in_seconds: secondsOf("expires", expires, true) }),
    ...trafficOf(options),
  };
}

/** A new key goes to stdout alone, so that it can be piped into a secret store. */
function printMade(call: CommandCall, data: JsonRecord): void {
  call.terminal.print(call.json ? JSON.stringify(data) : (asText(data["key"]) ?? ""));
  if (call.json) return;
  call.terminal.note(call.terminal.dim(`${asText(data["id"])} "${asText(data["name"])}": it is not shown again`));
}

async function make(call: CommandCall, api: Api, action: string, target: string): Promise<void> {
  const base = baseOf(call);
  if (action === "create") {
    return printMade(call, dataOf(await api.call(base, { json: { name: target, ...bodyOf(call) } })));
  }
  const overlap = call.options.text("overlap");
  const json = overlap === undefined ? {} : { overlap_seconds: secondsOf("overlap", overlap) };
  const path = `${base}/${await idOf(api, base, target)}/rotate`;
  printMade(call, dataOf(await api.call(path, { method: "POST", json })));
}

async function change(call: CommandCall, api: Api, action: string, target: string): Promise<void> {
  const base = baseOf(call);
  const path = `${base}/${await idOf(api, base, target)}`;
  if (action === "change") {
    const json = bodyOf(call);
    if (Object.keys(json).length === 0)
      throw stop("usage", "change: needs a flag that says what; see: weft keys --help");
    const data = dataOf(await api.call(path, { method: "PATCH", json }));
    return call.json ? call.terminal.print(JSON.stringify(data)) : print(call, [data]);
  }
  const data = dataOf(await api.call(path, { method: "DELETE" }));
  if (call.json) return call.terminal.print(JSON.stringify(data));
  call.terminal.print(`${call.terminal.green("✓")} ${call.terminal.bold(target)} is revoked`);
}

/** `weft keys`: who may call, and what. */
export const keys: Command = {
  name: "keys",
  about: "list, make, change, rotate and revoke API keys",
  args: [
    actionArgument(ACTIONS),
    { name: "target", about: "the name (create), or the key's id, name or first characters", optional: true },
  ],
  flags: [
    { flags: "--scope <scope>", about: "invoke (default), deploy, read, admin; may be repeated", repeat: true },
    {
      flags: "--ref <ref>",
      about: "a workflow it is limited to, or a beginning as support-*; all = every",
      repeat: true,
    },
    { flags: "--expires <time>", about: "when it expires, from now: 90d, 12h, or never (default)" },
    ...TRAFFIC_FLAGS,
    { flags: "--overlap <time>", about: "rotate: how long the former key is good beside the new one" },
    { flags: "--account <account>", about: "keys of this account; for the owner of the server" },
  ],
  examples: [
    "weft keys create ci --scope deploy --scope read --expires 90d",
    'weft keys create shop --ref "support-*" --requests-per-minute 600',
    "weft keys rotate ci --overlap 24h",
    "weft keys revoke ci",
  ],
  async run(call) {
    const [, target = ""] = call.args;
    const action = actionOf(call, ACTIONS);
    const api = await call.api();
    if (action === "list" || action === "current") {
      const found =
        action === "list" ? await readKeys(api, baseOf(call)) : [dataOf(await api.call("/api/v1/keys/current"))];
      return call.json ? call.terminal.print(JSON.stringify(action === "list" ? found : found[0])) : print(call, found);
    }
    if (target === "") throw stop("usage", `${action}: needs ${NEEDS[action]}`);
    return action === "create" || action === "rotate"
      ? make(call, api, action, target)
      : change(call, api, action, target);
  },
};
