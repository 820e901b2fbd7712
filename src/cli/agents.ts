import { actionArgument, actionOf } from "./action.ts";
import { toCallBody } from "./call-body.ts";
import { callStream, callWhole, INVOKE_AGENT, showAnswer, showFrames } from "./call-stream.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { readInput } from "./input.ts";
import { asNumber, asRecord, asRecords, asText, dataOf } from "./json.ts";
import { readAll } from "./pages.ts";
import { showTime, table } from "./table.ts";

const BASE = "/api/v1/agents";
const NEEDS: Readonly<Record<string, string>> = {
  show: "the agent",
  put: "a JSON file with the definition, or - for stdin",
  versions: "the agent",
  activate: "the agent and a version number",
  delete: "the agent",
  run: "the agent and a message",
};
const ACTIONS = ["list", ...Object.keys(NEEDS)];

const pathOf = (agent: string, rest = "") => `${BASE}/${encodeURIComponent(agent)}${rest}`;

async function list(call: CommandCall): Promise<void> {
  const items = await readAll(await call.api(), BASE);
  if (call.json) return call.terminal.print(JSON.stringify(items));
  if (items.length === 0)
    return call.terminal.note("There are no agents yet. Make one with: weft agents put <file.json>");
  const rows = items.map((item) => [
    asText(item["name"]) ?? "",
    String(asNumber(item["active_version"]) ?? "none"),
    asText(item["model"]) ?? "default",
    String(asRecords(item["tools"]).length),
    showTime(item["updated_at"]),
  ]);
  for (const line of table(["agent", "version", "model", "tools", "changed"], rows, call.terminal))
    call.terminal.print(line);
}

async function versions(call: CommandCall, agent: string): Promise<void> {
  const items = await readAll(await call.api(), pathOf(agent, "/versions"));
  if (call.json) return call.terminal.print(JSON.stringify(items));
  const rows = items.map((item) => [
    String(asNumber(item["version"]) ?? ""),
    showTime(item["version_created_at"]),
    asText(item["version_notes"]) ?? "",
  ]);
  for (const line of table(["version", "made", "notes"], rows, call.terminal)) call.terminal.print(line);
}

async function put(call: CommandCall, file: string): Promise<void> {
  const definition = asRecord(await readInput(file === "-" ? "-" : `@${file}`, call.io, "put"));
  const name = asText(definition["name"]);
  if (name === null) throw stop("usage", `${file}: needs a "name", the agent's`);
  const data = dataOf(await (await call.api()).call(pathOf(name), { method: "PUT", json: definition }));
  if (call.json) return call.terminal.print(JSON.stringify(data));
  const what = data["version_created"] === true ? "is now" : "was already";
  call.terminal.print(
    `${call.terminal.green("✓")} ${call.terminal.bold(name)} ${what} at version ${asNumber(data["version"])}`,
  );
}

async function run(call: CommandCall, agent: string, message: string): Promise<void> {
  const api = await call.api();
  const { input: _input, ...given } = await toCallBody(call, agent);
  const body = { ...given, model: agent, messages: [{ role: "user", content: message }] };
  const startedAt = Date.now();
  const path = INVOKE_AGENT;
  if (call.options.flag("stream")) {
    const reader = call.json
      ? { frame: (value: object) => call.terminal.print(JSON.stringify(value)) }
      : showFrames(call);
    const answer = await callStream(api, body, { reader, path });
    if (!call.json) showAnswer(call, answer, startedAt);
    return;
  }
  const answer = await call.terminal.during(`Asking ${agent}`, () => callWhole(api, body, path));
  if (call.json) call.terminal.print(JSON.stringify(answer.body));
  else showAnswer(call, answer, startedAt);
}

async function change(call: CommandCall, agent: string, version: string | null): Promise<void> {
  const api = await call.api();
  const data = dataOf(
    await (version === null
      ? api.call(pathOf(agent), { method: "DELETE" })
      : api.call(pathOf(agent, `/versions/${encodeURIComponent(version)}/activate`), { method: "POST" })),
  );
  if (call.json) return call.terminal.print(JSON.stringify(data));
  const done = version === null ? "deleted" : `at version ${version}`;
  call.terminal.print(`${call.terminal.green("✓")} ${call.terminal.bold(agent)} is ${done}`);
}

async function show(call: CommandCall, agent: string): Promise<void> {
  const data = dataOf(await (await call.api()).call(pathOf(agent)));
  call.terminal.print(call.json ? JSON.stringify(data) : JSON.stringify(data, null, 2));
}

/** `weft agents`: define, look at and ask agents. */
export const agents: Command = {
  name: "agents",
  about: "define, list, change and ask agents",
  args: [
    actionArgument(ACTIONS),
    { name: "target", about: "the agent, or the file of its definition (put)", optional: true },
    { name: "more", about: "the message (run) or the version (activate)", optional: true },
  ],
  flags: [
    { flags: "--stream", about: "run: print text and what tools do as it comes" },
    { flags: "--session <id>", about: "run: session id" },
    {
      flags: "--secret <KEY=VALUE>",
      about: "run: a secret for its tools; KEY alone takes it from the environment",
      repeat: true,
    },
  ],
  examples: [
    "weft agents put support.json",
    `weft agents run support "Where is order 1002?" --stream`,
    "weft agents activate support 1",
  ],
  async run(call) {
    const [, target = "", more = ""] = call.args;
    const action = actionOf(call, ACTIONS);
    if (action === "list") return list(call);
    const needsMore = action === "run" || action === "activate";
    if (target === "" || (needsMore && more === "")) throw stop("usage", `${action}: needs ${NEEDS[action]}`);
    if (action === "put") return put(call, target);
    if (action === "versions") return versions(call, target);
    if (action === "run") return run(call, target, more);
    if (action === "show") return show(call, target);
    return change(call, target, action === "activate" ? more : null);
  },
};
