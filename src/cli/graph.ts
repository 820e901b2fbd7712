import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { actionArgument, actionOf } from "./action.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { readInput } from "./input.ts";
import { asNumber, asRecord, asRecords, asText, dataOf, type JsonRecord } from "./json.ts";
import { table } from "./table.ts";

const BASE = "/api/v1/graphs";
const PAGE = 100;
const NEEDS: Readonly<Record<string, string>> = {
  check: "a JSON file with nodes and edges, or - for stdin",
  save: "a JSON file with nodes and edges, or - for stdin",
  run: "the workflow",
  eject: "the workflow",
};
const ACTIONS = ["list", ...Object.keys(NEEDS)];

async function list(call: CommandCall): Promise<void> {
  const api = await call.api();
  const items: JsonRecord[] = [];
  for (let offset = 0, total = 1; offset < total; offset += PAGE) {
    const page = asRecord(await api.call(`${BASE}?limit=${PAGE}&offset=${offset}`));
    items.push(...asRecords(page["data"]));
    total = Number(asRecord(page["pagination"])["total"] ?? 0);
  }
  if (call.json) return call.terminal.print(JSON.stringify(items));
  if (items.length === 0) return call.terminal.note("There are no graphs yet. Make one with: weft graph save <file>");
  const rows = items.map((item) => [
    asText(item["ref"]) ?? "",
    asText(item["version"]) ?? "",
    String(asNumber(item["nodes"]) ?? 0),
    String(asNumber(item["runs"]) ?? 0),
    asText(item["name"]) ?? "",
  ]);
  for (const line of table(["ref", "version", "nodes", "runs", "name"], rows, call.terminal)) call.terminal.print(line);
}

/** The document of a file, and what it says of itself beside its nodes. */
async function readDocument(call: CommandCall, file: string): Promise<JsonRecord> {
  const read = asRecord(await readInput(file === "-" ? "-" : `@${file}`, call.io, call.args[0]));
  const dialect = call.options.text("dialect");
  const name = call.options.text("name") ?? asText(read["name"]);
  const description = asText(read["description"]);
  return {
    document: read,
    ...(dialect === undefined ? {} : { dialect }),
    ...(name === null ? {} : { name }),
    ...(description === null ? {} : { description }),
  };
}

function showProblems(call: CommandCall, problems: readonly JsonRecord[], mark: string): void {
  for (const problem of problems)
    call.terminal.print(`${mark} ${asText(problem["path"])}: ${asText(problem["message"])}`);
}

async function check(call: CommandCall, file: string): Promise<void> {
  const json = await readDocument(call, file);
  const data = dataOf(await (await call.api()).call(`${BASE}/check`, { json }));
  const errors = asRecords(data["errors"]);
  if (call.json) call.terminal.print(JSON.stringify(data));
  else {
    showProblems(call, errors, call.terminal.red("✗"));
    showProblems(call, asRecords(data["warnings"]), "!");
    if (errors.length === 0) call.terminal.print(`${call.terminal.green("✓")} ${file} is valid`);
  }
  if (errors.length > 0) throw stop("failed", `${file}: ${errors.length} problem${errors.length === 1 ? "" : "s"}`);
}

async function save(call: CommandCall, file: string): Promise<void> {
  const json = await readDocument(call, file);
  const to = call.options.text("to");
  if (to === undefined && json["name"] === undefined) throw stop("usage", `${file}: needs a "name", or --name`);
  const request = to === undefined ? { json } : { json, method: "PUT" as const };
  const path = to === undefined ? BASE : `${BASE}/${encodeURIComponent(to)}`;
  const api = await call.api();
  const answer = await call.terminal.during(`Saving ${file}`, () => api.call(path, request));
  const data = dataOf(answer);
  if (call.json) return call.terminal.print(JSON.stringify(data));
  showProblems(call, asRecords(data["warnings"]), "!");
  const { terminal } = call;
  terminal.print(
    `${terminal.green("✓")} ${terminal.bold(asText(data["ref"]) ?? "")} ${asText(data["version"])} (${asText(data["id"])})`,
  );
  terminal.note(`Run it with: weft graph run ${asText(data["ref"])} --input '{…}'`);
}

async function run(call: CommandCall, key: string): Promise<void> {
  const inputs = (await readInput(call.options.text("input"), call.io)) ?? {};
  const api = await call.api();
  const path = `/api/v1/workflows/${encodeURIComponent(key)}/execute`;
  const run = asRecord(await call.terminal.during(`Running ${key}`, () => api.call(path, { json: { inputs } })));
  if (call.json) return call.terminal.print(JSON.stringify(run));
  const rows = asRecords(run["node_results"]).map((node) => [
    asText(node["node_id"]) ?? "",
    asText(node["status"]) ?? "",
    `${asNumber(node["duration"]) ?? 0} s`,
    String(asNumber(node["tokens_used"]) ?? 0),
    (JSON.stringify(node["output"] ?? null) ?? "").slice(0, 60),
  ]);
  for (const line of table(["node", "status", "time", "tokens", "output"], rows, call.terminal))
    call.terminal.note(line);
  call.terminal.print(JSON.stringify(run["outputs"] ?? null, null, 2));
}

async function eject(call: CommandCall, key: string): Promise<void> {
  const api = await call.api();
  const data = dataOf(await api.call(`${BASE}/${encodeURIComponent(key)}/script`));
  if (call.json) return call.terminal.print(JSON.stringify(data));
  const files = asRecords(data["files"]).map((file) => ({
    path: asText(file["path"]) ?? "",
    text: asText(file["text"]) ?? "",
  }));
  const out = call.options.text("out");
  if (out === undefined) {
    for (const { path, text } of files) call.terminal.print(files.length === 1 ? text : `// ${path}\n${text}`);
    return;
  }
  const folder = resolve(call.io.cwd, out);
  for (const { path, text } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { flag: "wx" }).catch((cause: unknown) => {
      throw stop("usage", `${join(out, path)}: is there already, or cannot be written (${(cause as Error).message})`);
    });
  }
  const [first, ...rest] = files.map(({ path }) => join(out, path));
  call.terminal.print(`${call.terminal.green("✓")} ${files.length} files in ${out}`);
  call.terminal.note(`It is a workflow of its own: weft deploy ${[first, ...rest].join(" ")}`);
}

/** `weft graph`: workflows of nodes and edges. */
export const graph: Command = {
  name: "graph",
  about: "check, store and run graphs of nodes, and turn them into scripts",
  args: [
    actionArgument(ACTIONS),
    { name: "target", about: "the workflow, or the file of the graph (check, save)", optional: true },
  ],
  flags: [
    { flags: "--name <name>", about: "save: name of the workflow; default the document's" },
    { flags: "--to <workflow>", about: "save: replace the graph of this workflow" },
    {
      flags: "--dialect <dialect>",
      about: "check, save: solcognia, motte, powabase or hatz; default: found by the document",
    },
    { flags: "--input <json>", about: "run: input as JSON, @file or - for stdin" },
    { flags: "--out <folder>", about: "eject: write the script there instead of printing it" },
  ],
  examples: [
    "weft graph save flow.json",
    `weft graph run my-flow --input '{"text":"hi"}'`,
    "weft graph eject my-flow --out my-flow",
  ],
  async run(call) {
    const [, target = ""] = call.args;
    const action = actionOf(call, ACTIONS);
    if (action === "list") return list(call);
    if (target === "") throw stop("usage", `${action}: needs ${NEEDS[action]}`);
    if (action === "check") return check(call, target);
    if (action === "save") return save(call, target);
    return action === "run" ? run(call, target) : eject(call, target);
  },
};
