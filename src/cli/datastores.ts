import { actionArgument, actionOf } from "./action.ts";
import type { Command, CommandCall } from "./command.ts";
import { importFile } from "./datastore-import.ts";
import {
  deleteRecords,
  describeDatastore,
  downloadDatastore,
  getRecords,
  listDatastores,
  putRecords,
  queryDatastore,
  searchDatastore,
} from "./datastore-reads.ts";
import { stop } from "./exit.ts";
import { readInput } from "./input.ts";
import { asRecord, asText, dataOf, parseJson } from "./json.ts";

const ACTIONS = ["list", "create", "import", "describe", "search", "query", "get", "put", "delete", "download"];
const BASE = "/api/v1/datastores";

/** Flags of a definition and of reading a file, and the API's names for them. */
const QUERY = {
  format: "format",
  idField: "id_field",
  textFields: "text_fields",
  filters: "filters",
  onDuplicate: "on_duplicate",
  table: "table",
  delimiter: "delimiter",
} as const;

/** The definition given as JSON and by flags, for a datastore that is made without a file. */
async function definitionOf(call: CommandCall): Promise<object> {
  const { options, io } = call;
  const list = (name: string) => {
    const given = options.text(name);
    return given === "" ? [] : given?.split(",");
  };
  const textFields = list("textFields");
  const filters = list("filters");
  const idField = options.text("idField");
  const vector = options.text("vector");
  return {
    ...asRecord(await readInput(options.text("definition"), io)),
    ...(idField === undefined ? {} : { id_field: idField }),
    ...(textFields === undefined ? {} : { text_fields: textFields }),
    ...(filters === undefined ? {} : { filters }),
    ...(vector === undefined ? {} : { vector: parseJson(vector) ?? vector }),
  };
}

async function create(call: CommandCall, name: string): Promise<void> {
  const json = { ...(await definitionOf(call)), name };
  const data = dataOf(await (await call.api()).call(BASE, { json }));
  if (call.json) return call.terminal.print(JSON.stringify(data));
  call.terminal.print(
    `${call.terminal.green("✓")} ${call.terminal.bold(name)} is made; fill it with: weft datastores import ${name} <file>`,
  );
}

async function fill(call: CommandCall, name: string, file: string): Promise<void> {
  const { options, terminal } = call;
  if (file === "") throw stop("usage", "import: needs a file");
  const flags = Object.entries(QUERY).flatMap(([flag, field]) => {
    const value = options.text(flag);
    return value === undefined ? [] : [[field, value] as const];
  });
  const isDefined = options.text("definition") !== undefined || options.text("vector") !== undefined;
  const definition = isDefined ? { definition: JSON.stringify(await definitionOf(call)) } : {};
  const query = { ...Object.fromEntries(flags), ...definition };
  const done = await importFile(call, { name, file, query });
  if (call.json) return terminal.print(JSON.stringify(done));
  const rows = Number(done["rows"]).toLocaleString("en");
  terminal.print(
    `${terminal.green("✓")} ${terminal.bold(name)} has ${rows} records, revision ${asText(done["revision"])}`,
  );
  const warnings = Array.isArray(done["warnings"]) ? done["warnings"] : [];
  for (const warning of warnings) terminal.note(`  ${terminal.yellow(String(warning))}`);
}

async function act(call: CommandCall, action: string, name: string): Promise<void> {
  const rest = call.args.slice(2);
  const [first = ""] = rest;
  switch (action) {
    case "create":
      return create(call, name);
    case "import":
      return fill(call, name, first);
    case "describe":
      return describeDatastore(call, name);
    case "search":
      return searchDatastore(call, name, first);
    case "query":
      return queryDatastore(call, name, rest);
    case "get":
      return getRecords(call, name, rest);
    case "put":
      return putRecords(call, name, first);
    case "delete":
      return deleteRecords(call, name, rest);
    default:
      return downloadDatastore(call, name, first);
  }
}

/** `weft datastores`: stores of records that workflows read. */
export const datastores: Command = {
  name: "datastores",
  about: "make, fill and read stores of records",
  args: [
    actionArgument(ACTIONS),
    { name: "name", about: "the datastore", optional: true },
    { name: "rest", about: "a file, a query, SQL with its values, ids or a record", optional: true, many: true },
  ],
  flags: [
    {
      flags: "--format <format>",
      about: "of the file (csv, tsv, json, jsonl, parquet, sqlite, text, markdown) or download",
    },
    { flags: "--id-field <name>", about: "column with the id; default id" },
    {
      flags: "--text-fields <names>",
      about: 'columns that keyword search looks at, separated by commas; default: those of text; "" for none',
    },
    { flags: "--filters <names>", about: "columns that get an index, separated by commas" },
    {
      flags: "--vector <json>",
      about: 'vectors: {"fields": ["text"]} made by a model, or {"field": "v", "dimensions": 3}',
    },
    { flags: "--definition <json>", about: "columns and all of these: JSON, @file, or - for stdin" },
    { flags: "--on-duplicate <rule>", about: "records with the same id: error (default), last, first" },
    { flags: "--delimiter <text>", about: "between the cells of a CSV file" },
    { flags: "--table <name>", about: "which table of an SQLite file" },
    { flags: "--mode <mode>", about: "search by keyword, vector or hybrid" },
    { flags: "--top-k <n>", about: "records found at most" },
    { flags: "--filter <json>", about: 'only records that fit, such as {"price": {"$lt": 10}}' },
    { flags: "--fields <names>", about: "columns shown, separated by commas" },
  ],
  examples: [
    "weft datastores import products products.csv --id-field sku --text-fields name,description",
    'weft datastores search products "garden hose" --top-k 5',
    `weft datastores query products "SELECT name FROM records WHERE price < ? ORDER BY price" 10`,
  ],
  async run(call) {
    const [, name = ""] = call.args;
    const action = actionOf(call, ACTIONS);
    if (action === "list") return listDatastores(call);
    if (name === "") throw stop("usage", `${action}: needs the name of a datastore`);
    return act(call, action, name);
  },
};
