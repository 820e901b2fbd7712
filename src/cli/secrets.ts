import { text } from "node:stream/consumers";
import { rotateSealKey } from "../seal-key.ts";
import { actionArgument, actionOf } from "./action.ts";
import type { Api } from "./api.ts";
import type { Command, CommandCall } from "./command.ts";
import { dataDirOf } from "./connection.ts";
import { stop } from "./exit.ts";
import { asRecord, asRecords, asText, dataOf, type JsonRecord } from "./json.ts";
import { showTime, table } from "./table.ts";

const BASE = "/api/v1/secrets";
const ACTIONS = ["list", "set", "delete", "rotate-key"];

const pathOf = (name: string) => `${BASE}/${encodeURIComponent(name)}`;

async function list({ terminal, json }: CommandCall, api: Api): Promise<void> {
  const items = asRecords(asRecord(await api.call(BASE))["data"]);
  if (json) return terminal.print(JSON.stringify(items));
  if (items.length === 0)
    return terminal.note("There are no stored secrets yet. Set one with: weft secrets set <name>");
  const rows = items.map((item) => [
    asText(item["name"]) ?? "",
    Array.isArray(item["refs"]) ? item["refs"].join(" ") : "all",
    Array.isArray(item["hosts"]) ? item["hosts"].join(" ") : "scripts",
    showTime(item["updated_at"]),
  ]);
  for (const line of table(["name", "workflows", "value goes to", "changed"], rows, terminal)) terminal.print(line);
}

/** A value on the command line would be in the shell's history and in the list of processes. */
async function readValue({ io, options, terminal }: CommandCall, name: string): Promise<string> {
  const from = options.text("fromEnv");
  const found = from === undefined ? (await text(io.stdin)).replace(/\r?\n$/, "") : io.env[from];
  if (found !== undefined && found !== "") return found;
  const where = from === undefined ? "stdin: pipe the value in, or use --from-env" : `the environment variable ${from}`;
  terminal.note(terminal.dim(`for example: printf %s "$VALUE" | weft secrets set ${name}`));
  throw stop("usage", `set: there is no value in ${where}`);
}

async function set(call: CommandCall, api: Api, name: string): Promise<JsonRecord> {
  const refs = call.options.list("ref");
  const value = await readValue(call, name);
  const hosts = call.options.list("host");
  const json = {
    value,
    ...(refs.length === 0 ? {} : { refs: refs.includes("all") ? null : refs }),
    ...(hosts.length === 0 ? {} : hosts.includes("none") ? { expose: "value" } : { expose: "handle", hosts }),
  };
  return dataOf(await api.call(pathOf(name), { method: "PUT", json }));
}

async function rotate({ io, terminal, json }: CommandCall): Promise<void> {
  for (const setting of ["WEFT_SECRETS_KEY", "WEFT_SECRETS_KEY_FILE"]) {
    if (!io.env[setting]) continue;
    const message = `rotate-key: the keys are in ${setting}: put a new one before them there, and restart the server`;
    throw stop("usage", message);
  }
  const keys = await rotateSealKey(dataDirOf(io));
  if (json) return terminal.print(JSON.stringify({ keys }));
  terminal.print(`${terminal.green("✓")} secrets.key has a new first key, ${keys} in all`);
  terminal.note("Restart the server: it seals everything anew. Then the lines after the first may be removed.");
}

/** `weft secrets`: what runs get as ctx.secrets without their callers. */
export const secrets: Command = {
  name: "secrets",
  about: "list, set and delete stored secrets, and rotate the key that seals them",
  args: [
    actionArgument(ACTIONS),
    { name: "name", about: "name of the secret, as in ctx.secrets.NAME", optional: true },
  ],
  flags: [
    { flags: "--from-env <variable>", about: "set: take the value from this variable instead of stdin" },
    {
      flags: "--ref <ref>",
      about: "set: a workflow that gets it, or a beginning as shop-*; all = every",
      repeat: true,
    },
    {
      flags: "--host <host>",
      about: "set: a host that gets the value, of which scripts have a handle only; none = scripts have the value",
      repeat: true,
    },
  ],
  examples: [
    'printf %s "$STRIPE_KEY" | weft secrets set STRIPE_KEY --ref "shop-*"',
    "weft secrets set STRIPE_KEY --from-env STRIPE_KEY --host api.stripe.com",
    "weft secrets delete STRIPE_KEY",
  ],
  async run(call) {
    const [, name = ""] = call.args;
    const { terminal, json } = call;
    const action = actionOf(call, ACTIONS);
    if (action === "rotate-key") return rotate(call);
    const api = await call.api();
    if (action === "list") return list(call, api);
    if (name === "") throw stop("usage", `${action}: needs the name of the secret`);
    const data =
      action === "set" ? await set(call, api, name) : dataOf(await api.call(pathOf(name), { method: "DELETE" }));
    if (json) return terminal.print(JSON.stringify(data));
    terminal.print(`${terminal.green("✓")} ${terminal.bold(name)} is ${action === "set" ? "stored" : "deleted"}`);
  },
};
