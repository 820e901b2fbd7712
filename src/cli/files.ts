import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Readable } from "node:stream";
import { actionArgument, actionOf } from "./action.ts";
import { type Api, runPath } from "./api.ts";
import type { Command, CommandCall } from "./command.ts";
import { download, downloadToStdout } from "./download.ts";
import { stop } from "./exit.ts";
import { asNumber, asRecord, asRecords, asText, dataOf, type JsonRecord } from "./json.ts";
import { progressOf, sizeOf } from "./sizes.ts";
import { showTime, table } from "./table.ts";

const BASE = "/api/v1/files";
const PAGE = 100;
const ACTIONS = ["list", "put", "get", "show", "delete", "url"];

const pathOf = (id: string, rest = "") => `${BASE}/${encodeURIComponent(id)}${rest}`;

async function readAll(api: Api, run: string | undefined): Promise<readonly JsonRecord[]> {
  if (run !== undefined) return asRecords(asRecord(await api.call(runPath(run, "/files")))["data"]);
  const items: JsonRecord[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = asRecord(await api.call(`${BASE}?limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`));
    items.push(...asRecords(page["data"]));
    cursor = asText(asRecord(page["pagination"])["next_cursor"]);
  }
  return items;
}

async function list(call: CommandCall): Promise<void> {
  const items = await readAll(await call.api(), call.options.text("run"));
  if (call.json) return call.terminal.print(JSON.stringify(items));
  if (items.length === 0) return call.terminal.note("There are no files. Upload one with: weft files put <file>");
  const rows = items.map((item) => [
    asText(item["id"]) ?? "",
    sizeOf(asNumber(item["bytes"]) ?? 0),
    showTime(item["created_at"]),
    item["status"] === "ready" ? (asText(item["run"]) ?? "uploaded") : (asText(item["status"]) ?? ""),
    asText(item["name"]) ?? "",
  ]);
  for (const line of table(["id", "size", "made", "by", "name"], rows, call.terminal)) call.terminal.print(line);
}

async function sizeOfFile(path: string, shown: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return found.size;
  throw stop("usage", `${shown}: cannot be read, or is no file`);
}

async function put(call: CommandCall, shown: string): Promise<void> {
  const { options, terminal, io } = call;
  const path = resolve(io.cwd, shown);
  const total = await sizeOfFile(path, shown);
  const api = await call.api();
  const name = encodeURIComponent(options.text("name") ?? basename(path));
  const headers = { "content-type": options.text("type") ?? "application/octet-stream" };
  const data = await terminal.during(`Uploading ${shown}`, async (update) => {
    let sent = 0;
    const counted = Readable.from(
      (async function* count() {
        for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
          yield piece;
          sent += piece.byteLength;
          update(`Uploading ${shown}, ${progressOf(sent, total)}`);
        }
      })(),
    );
    const body = Readable.toWeb(counted) as ReadableStream<Uint8Array>;
    return dataOf(await api.call(`${BASE}?name=${name}`, { method: "POST", body, headers }));
  });
  if (call.json) return terminal.print(JSON.stringify(data));
  terminal.print(asText(data["id"]) ?? "");
  terminal.note(terminal.dim(`  ${asText(data["name"])}, ${sizeOf(asNumber(data["bytes"]) ?? 0)}`));
}

async function get(call: CommandCall, id: string): Promise<void> {
  const { options, terminal, io } = call;
  const from = pathOf(id, "/content");
  const output = options.text("output");
  if (output === "-") return downloadToStdout(call, from);
  const file = dataOf(await (await call.api()).call(pathOf(id)));
  const shown = output ?? basename(asText(file["name"]) ?? id);
  const path = resolve(io.cwd, shown);
  // A name that the file brings along must not replace what is there.
  if (output === undefined && existsSync(path))
    throw stop("usage", `${shown}: is there already; name another with --output`);
  const { bytes } = await download(call, from, path);
  if (call.json) return terminal.print(JSON.stringify({ file: shown, bytes }));
  terminal.print(`${terminal.green("✓")} ${shown} (${sizeOf(bytes)})`);
}

async function show(call: CommandCall, id: string): Promise<void> {
  const data = dataOf(await (await call.api()).call(pathOf(id)));
  call.terminal.print(call.json ? JSON.stringify(data) : JSON.stringify(data, null, 2));
}

async function remove(call: CommandCall, id: string): Promise<void> {
  const data = dataOf(await (await call.api()).call(pathOf(id), { method: "DELETE" }));
  if (call.json) return call.terminal.print(JSON.stringify(data));
  call.terminal.print(`${call.terminal.green("✓")} ${call.terminal.bold(id)} is deleted`);
}

async function url(call: CommandCall, id: string): Promise<void> {
  const given = call.options.text("expires");
  const seconds = given === undefined ? undefined : Number(given);
  if (seconds !== undefined && !Number.isInteger(seconds))
    throw stop("usage", `--expires: must be a number of seconds, got ${JSON.stringify(given)}`);
  const json = seconds === undefined ? {} : { expires_in: seconds };
  const data = dataOf(await (await call.api()).call(pathOf(id, "/url"), { json }));
  call.terminal.print(call.json ? JSON.stringify(data) : (asText(data["url"]) ?? ""));
}

/** `weft files`: inputs that are uploaded and outputs of runs. */
export const files: Command = {
  name: "files",
  about: "upload files for runs, and fetch those that runs wrote",
  args: [
    actionArgument(ACTIONS),
    { name: "target", about: "the file to upload (put), or a file's id", optional: true },
  ],
  flags: [
    { flags: "--run <execution>", about: "list: only what this run wrote" },
    { flags: "--name <name>", about: "put: its name; default: that of the file" },
    { flags: "--type <type>", about: "put: its content type" },
    { flags: "--output <file>", about: "get: where to, - for stdout; default: its name" },
    { flags: "--expires <seconds>", about: "url: how long the link works; default 3600" },
  ],
  examples: [
    "weft files put orders.csv --type text/csv",
    "weft files list --run exec_0123456789abcdef0123456789abcdef",
  ],
  async run(call) {
    const [, target = ""] = call.args;
    const action = actionOf(call, ACTIONS);
    if (action === "list") return list(call);
    if (target === "") throw stop("usage", `${action}: needs ${action === "put" ? "a file" : "a file's id"}`);
    const work = { put, get, show, delete: remove, url }[action];
    return work?.(call, target);
  },
};
