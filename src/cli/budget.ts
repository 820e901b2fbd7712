import { actionArgument, actionOf } from "./action.ts";
import { type Api, runPath } from "./api.ts";
import { amountsOf, BALANCE_HEADING, balanceRows } from "./budget-amounts.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { asRecord, asText, dataOf, type JsonRecord } from "./json.ts";
import { readRun } from "./logs.ts";
import { table } from "./table.ts";

const POOLS = "/api/v1/budgets";
const ACTIONS = ["show", "set", "add"];
const ACCOUNT = "account";

const isRun = (target: string) => /^exec_[0-9a-f]{32}$|^[0-9a-f]{8}-/.test(target);

function poolRows(pools: JsonRecord): readonly (readonly string[])[] {
  const account = pools["account"] === null ? [] : balanceRows("account (today)", asRecord(pools["account"]));
  const keys = Object.entries(asRecord(pools["keys"]));
  return [...account, ...keys.flatMap(([key, pool]) => balanceRows(`key ${key} (today)`, asRecord(pool)))];
}

function print(call: CommandCall, data: JsonRecord, rows: readonly (readonly string[])[], empty: string): void {
  const { terminal } = call;
  if (call.json) terminal.print(JSON.stringify(data));
  else if (rows.length === 0) terminal.note(empty);
  else for (const line of table(BALANCE_HEADING, rows, terminal)) terminal.print(line);
}

function printPools(call: CommandCall, pools: JsonRecord): void {
  print(call, pools, poolRows(pools), "There is no daily pool. Set one with: weft budget set account --usd 10");
}

function printRun(call: CommandCall, run: JsonRecord): void {
  const id = asText(run["id"]) ?? "";
  const budget = asRecord(run["budget"]);
  const rows = budget["limits"] === undefined ? [] : balanceRows(id, budget);
  print(call, asRecord(run["budget"]), rows, `${id} has no budget of its own.`);
  if (!call.json && run["waiting_reason"] === "budget")
    call.terminal.note(call.terminal.dim(`It waits: weft budget add ${id}`));
}

async function set(call: CommandCall, api: Api, target: string): Promise<void> {
  if (isRun(target)) throw stop("usage", "set: is for daily pools; raise the budget of a run with: weft budget add");
  const limits = call.options.flag("off") ? null : amountsOf(call.options);
  const json = target === ACCOUNT ? { account: limits } : { keys: { [target]: limits } };
  printPools(call, dataOf(await api.call(POOLS, { method: "PUT", json })));
}

async function add(call: CommandCall, api: Api, target: string): Promise<void> {
  const key = call.options.text("idempotencyKey");
  const request = {
    json: { add: amountsOf(call.options), ...(isRun(target) || target === ACCOUNT ? {} : { key: target }) },
    ...(key === undefined ? {} : { headers: { "idempotency-key": key } }),
  };
  if (isRun(target)) return printRun(call, dataOf(await api.call(runPath(target, "/budget"), request)));
  printPools(call, dataOf(await api.call(`${POOLS}/add`, request)));
}

/** `weft budget`: what may be spent, by a run or in a day. */
export const budget: Command = {
  name: "budget",
  about: "show, set and raise what runs, API keys and the account may spend",
  args: [
    actionArgument(ACTIONS),
    { name: "target", about: "an execution id, account, or the name of an API key; default account", optional: true },
  ],
  flags: [
    { flags: "--usd <amount>", about: "US dollars" },
    { flags: "--tokens <count>", about: "tokens, prompt and answer together" },
    { flags: "--calls <count>", about: "calls sent to models" },
    { flags: "--off", about: "with set: remove the daily pool" },
    { flags: "--idempotency-key <key>", about: "with add: the same key adds once" },
  ],
  examples: [
    "weft budget",
    "weft budget set account --usd 10",
    "weft budget set owner --calls 1000",
    "weft budget add exec_0123456789abcdef0123456789abcdef --usd 0.5",
  ],
  async run(call) {
    const [, target = ACCOUNT] = call.args;
    const action = actionOf(call, ACTIONS);
    const api = await call.api();
    if (action === "set") return set(call, api, target);
    if (action === "add") return add(call, api, target);
    if (isRun(target)) return printRun(call, await readRun(api, target));
    printPools(call, dataOf(await api.call(POOLS)));
  },
};
