import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { CommandCall } from "./command.ts";
import { datastorePath } from "./datastore-import.ts";
import { stop } from "./exit.ts";
import { readInput } from "./input.ts";
import { asRecord, asRecords, asText, dataOf, type JsonRecord, parseJson } from "./json.ts";
import { readAll } from "./pages.ts";
import { sizeOf } from "./sizes.ts";
import { table } from "./table.ts";

const MAX_CELL = 60;

const cellOf = (value: unknown): string => {
  const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > MAX_CELL ? `${line.slice(0, MAX_CELL - 1)}…` : line;
};

/** Prints rows as a table, or as JSON. */
function printRows(call: CommandCall, rows: readonly JsonRecord[], empty: string): void {
  const { terminal } = call;
  if (call.json) terminal.print(JSON.stringify(rows));
  else if (rows.length === 0) terminal.note(empty);
  else printTable(call, rows);
}

function printTable({ terminal }: CommandCall, rows: readonly JsonRecord[]): void {
  const heading = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => heading.map((name) => cellOf(row[name])));
  for (const line of table(heading, cells, terminal)) terminal.print(line);
}

/** `weft datastores list`. */
export async function listDatastores(call: CommandCall): Promise<void> {
  const items = await readAll(await call.api(), "/api/v1/datastores");
  if (call.json) return call.terminal.print(JSON.stringify(items));
  const rows = items.map(({ name, rows: count, revision, bytes }) => ({
    name,
    records: Number(count).toLocaleString("en"),
    revision,
    size: sizeOf(Number(bytes)),
  }));
  printRows(call, rows, "There are no datastores yet. Make one with: weft datastores import <name> <file>");
}

/** `weft datastores describe`. */
export async function describeDatastore(call: CommandCall, name: string): Promise<void> {
  const { terminal } = call;
  const data = dataOf(await (await call.api()).call(datastorePath(name)));
  if (call.json) return terminal.print(JSON.stringify(data));
  const { rows, revision, bytes, id_field: id, vector } = data;
  const size = `${Number(rows).toLocaleString("en")} records, revision ${asText(revision)}, ${sizeOf(Number(bytes))}`;
  terminal.print(`${terminal.bold(name)}  ${size}`);
  const listed = (field: string) => (Array.isArray(data[field]) ? (data[field] as unknown[]) : []);
  const isIn = (field: string, column: unknown) => listed(field).includes(column);
  const columns = asRecords(data["columns"]).map(({ name: column, type, nullable }) => ({
    column,
    type,
    is: [
      ...(column === id ? ["id"] : []),
      ...(nullable === true ? [] : ["required"]),
      ...(isIn("text_fields", column) ? ["keyword search"] : []),
      ...(isIn("filters", column) ? ["index"] : []),
    ].join(", "),
  }));
  printRows(call, columns, "It has no records yet.");
  if (vector !== null && vector !== undefined) terminal.print(`vector  ${JSON.stringify(vector)}`);
}

/** `weft datastores search`. */
export async function searchDatastore(call: CommandCall, name: string, query: string): Promise<void> {
  const { options } = call;
  const filter = options.text("filter");
  const topK = options.text("topK");
  const fields = options.text("fields");
  const json = {
    ...(query === "" ? {} : { query }),
    ...(options.text("mode") === undefined ? {} : { mode: options.text("mode") }),
    ...(topK === undefined ? {} : { top_k: Number(topK) }),
    ...(filter === undefined ? {} : { filter: parseJson(filter) ?? filter }),
    ...(fields === undefined ? {} : { fields: fields.split(",") }),
  };
  const answer = asRecord(await (await call.api()).call(datastorePath(name, "/search"), { json }));
  const hits = asRecords(answer["data"]);
  if (call.json) return call.terminal.print(JSON.stringify(hits));
  const rows = hits.map(({ id, score, data }) => ({ id, score: Number(score).toPrecision(4), ...asRecord(data) }));
  printRows(call, rows, "Nothing was found.");
}

/** `weft datastores query`: the values are bound to the `?` of the SQL; what is JSON is taken as JSON. */
export async function queryDatastore(call: CommandCall, name: string, args: readonly string[]): Promise<void> {
  const [sql = "", ...values] = args;
  if (sql === "") throw stop("usage", "query: needs a SELECT");
  const params = values.map((value) => parseJson(value) ?? value);
  const json = { sql, ...(params.length === 0 ? {} : { params }) };
  const data = dataOf(await (await call.api()).call(datastorePath(name, "/query"), { json }));
  printRows(call, asRecords(data["rows"]), "No rows.");
}

/** `weft datastores get`. */
export async function getRecords(call: CommandCall, name: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) throw stop("usage", "get: needs the id of a record");
  const api = await call.api();
  const answer = asRecord(await api.call(datastorePath(name, "/records/get"), { json: { ids } }));
  const found = Array.isArray(answer["data"]) ? (answer["data"] as unknown[]) : [];
  const missing = ids.filter((_id, at) => (found[at] ?? null) === null);
  const [only] = found;
  if (ids.length === 1 && missing.length === 0) call.terminal.print(JSON.stringify(only, null, call.json ? 0 : 2));
  else if (ids.length > 1) call.terminal.print(JSON.stringify(found, null, call.json ? 0 : 2));
  if (missing.length > 0) throw stop("refused", `There is no record ${missing.join(", ")} in ${name}.`);
}

/** `weft datastores put`: one record, or a list of them. */
export async function putRecords(call: CommandCall, name: string, given: string): Promise<void> {
  const input = given === "" ? undefined : await readInput(given, call.io);
  if (input === undefined) throw stop("usage", "put: needs a record as JSON, @file, or - for stdin");
  const data = dataOf(await (await call.api()).call(datastorePath(name, "/records"), { json: input }));
  if (call.json) return call.terminal.print(JSON.stringify(data));
  const { added, replaced, rows, revision } = data;
  call.terminal.print(
    `${call.terminal.green("✓")} ${asText(added)} added, ${asText(replaced)} replaced; ${asText(rows)} records, revision ${asText(revision)}`,
  );
}

/** `weft datastores delete`: records by their ids, or without ids the datastore. */
export async function deleteRecords(call: CommandCall, name: string, ids: readonly string[]): Promise<void> {
  const api = await call.api();
  const { terminal } = call;
  if (ids.length === 0) {
    await api.call(datastorePath(name), { method: "DELETE" });
    if (call.json) return terminal.print(JSON.stringify({ deleted: true }));
    return terminal.print(`${terminal.green("✓")} ${terminal.bold(name)} is deleted`);
  }
  const data = dataOf(await api.call(datastorePath(name, "/records/delete"), { json: { ids } }));
  if (call.json) return terminal.print(JSON.stringify(data));
  terminal.print(`${terminal.green("✓")} ${asText(data["removed"])} of ${ids.length} records are deleted`);
}

/** `weft datastores download`: into a file, which appears when it is whole, or to stdout. */
export async function downloadDatastore(call: CommandCall, name: string, file: string): Promise<void> {
  const format = call.options.text("format") ?? "jsonl";
  const api = await call.api();
  const response = await api.send(datastorePath(name, `/download?format=${encodeURIComponent(format)}`));
  if (response.body === null) throw stop("failed", "The server sent nothing.");
  const body = Readable.fromWeb(response.body as ReadableStream);
  if (file === "" || file === "-") {
    for await (const piece of body)
      if (!call.io.stdout.write(piece)) await new Promise((go) => call.io.stdout.once("drain", go));
    return;
  }
  const path = resolve(call.io.cwd, file);
  try {
    await pipeline(body, createWriteStream(`${path}.part`), { signal: call.io.signal });
    await rename(`${path}.part`, path);
  } catch (cause) {
    await rm(`${path}.part`, { force: true });
    throw call.io.signal.aborted ? stop("interrupted", "Stopped.") : api.lost(cause);
  }
  call.terminal.note(`${call.terminal.green("✓")} ${file}`);
}
