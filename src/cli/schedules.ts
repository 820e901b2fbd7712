import { actionArgument, actionOf } from "./action.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { readInput } from "./input.ts";
import { asText, dataOf } from "./json.ts";
import { readAll } from "./pages.ts";
import { showTime, table } from "./table.ts";

const BASE = "/api/v1/schedules";
const ACTIONS = ["list", "create", "pause", "resume", "delete", "run"];

const pathOf = (id: string, rest = "") => `${BASE}/${encodeURIComponent(id)}${rest}`;

async function list(call: CommandCall, ref: string): Promise<void> {
  const filter = ref === "" ? "" : `?workflow=${encodeURIComponent(ref)}`;
  const items = await readAll(await call.api(), `${BASE}${filter}`);
  if (call.json) return call.terminal.print(JSON.stringify(items));
  if (items.length === 0) return call.terminal.note("There are no schedules yet. Make one with: weft schedules create");
  const rows = items.map((item) => [
    asText(item["id"]) ?? "",
    `${asText(item["workflow_ref_name"])}/${asText(item["name"])}`,
    asText(item["cron"]) ?? "",
    asText(item["timezone"]) ?? "",
    item["paused"] === true ? "paused" : item["next_run"] === null ? "over" : showTime(item["next_run"]),
  ]);
  const heading = ["id", "workflow/name", "cron", "time zone", "next run"];
  for (const line of table(heading, rows, call.terminal)) call.terminal.print(line);
}

async function create(call: CommandCall, ref: string): Promise<void> {
  const { options, terminal } = call;
  const cron = options.text("cron");
  if (cron === undefined) throw stop("usage", "--cron: is required to create a schedule");
  const input = await readInput(options.text("input"), call.io);
  const named = { name: "name", timezone: "timezone", catch_up: "catchUp", overlap: "overlap", end_at: "endAt" };
  const given = Object.entries(named).flatMap(([field, flag]) => {
    const value = options.text(flag);
    return value === undefined ? [] : [[field, value]];
  });
  const json = { workflow: ref, cron, ...Object.fromEntries(given), ...(input === undefined ? {} : { input }) };
  const data = dataOf(await (await call.api()).call(BASE, { json }));
  if (call.json) return terminal.print(JSON.stringify(data));
  terminal.print(asText(data["id"]) ?? "");
  const next = Array.isArray(data["next_runs"]) ? data["next_runs"] : [];
  for (const time of next) terminal.note(terminal.dim(`next ${showTime(time)}`));
}

async function act(call: CommandCall, action: string, id: string): Promise<void> {
  const api = await call.api();
  const request = action === "delete" ? { method: "DELETE" as const } : { method: "POST" as const };
  const data = dataOf(await api.call(pathOf(id, action === "delete" ? "" : `/${action}`), request));
  if (call.json) return call.terminal.print(JSON.stringify(data));
  if (action === "run") return call.terminal.print(asText(data["id"]) ?? "");
  const done = { pause: "paused", resume: "resumed", delete: "deleted" }[action];
  call.terminal.print(`${call.terminal.green("✓")} ${call.terminal.bold(id)} is ${done}`);
}

/** `weft schedules`: what starts by the clock. */
export const schedules: Command = {
  name: "schedules",
  about: "list, create and change what starts by the clock",
  args: [
    actionArgument(ACTIONS),
    { name: "target", about: "the workflow (list, create) or the schedule's id", optional: true },
  ],
  flags: [
    { flags: "--cron <text>", about: 'when: five fields, six with seconds, or a word such as "@daily"' },
    { flags: "--timezone <zone>", about: "IANA time zone; default UTC" },
    { flags: "--name <name>", about: "name within the workflow" },
    { flags: "--input <json>", about: "input of its runs: JSON, @file, or - for stdin" },
    { flags: "--catch-up <policy>", about: "missed runs: skip (default), one, all" },
    { flags: "--overlap <policy>", about: "while an earlier run goes on: skip (default), allow, queue, cancel" },
    { flags: "--end-at <time>", about: "no run from then on (ISO 8601)" },
  ],
  examples: [
    "weft schedules",
    `weft schedules create report --cron "0 7 * * 1-5" --timezone Europe/Berlin`,
    "weft schedules pause sched_0123456789abcdef0123456789abcdef",
  ],
  async run(call) {
    const [, target = ""] = call.args;
    const action = actionOf(call, ACTIONS);
    if (action === "list") return list(call, target);
    if (target === "")
      throw stop("usage", `${action}: needs ${action === "create" ? "a workflow" : "a schedule's id"}`);
    return action === "create" ? create(call, target) : act(call, action, target);
  },
};
