import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { asRecord, asRecords, asText, type JsonRecord } from "./json.ts";
import { showCost, showSpan, showTokens } from "./run-facts.ts";
import { showTime, table } from "./table.ts";

const PAGE = 100;
const DEFAULT_LIMIT = 25;

/** Flags with the parameter of the API that each one is. */
const FILTERS = [
  { flag: "workflow", param: "workflow", value: "<ref>", about: "runs of this workflow" },
  { flag: "status", param: "status", value: "<status>", about: "queued, running, waiting, …; several by commas" },
  { flag: "session", param: "session_id", value: "<id>", about: "runs of this session" },
  { flag: "parent", param: "parent_run", value: "<execution>", about: "runs that this one called" },
  { flag: "mode", param: "mode", value: "<mode>", about: "sync, stream, background or nested" },
  { flag: "cached", param: "cached", value: "<true|false>", about: "answered by the result cache, or not" },
  { flag: "created-after", param: "created_after", value: "<time>", about: "ISO 8601 or seconds since the epoch" },
  { flag: "created-before", param: "created_before", value: "<time>", about: "made before" },
  { flag: "finished-after", param: "finished_after", value: "<time>", about: "ended at this time or later" },
  { flag: "finished-before", param: "finished_before", value: "<time>", about: "ended before" },
  { flag: "min-cost", param: "min_cost", value: "<usd>", about: "cost at least this" },
  { flag: "max-cost", param: "max_cost", value: "<usd>", about: "cost at most this" },
  { flag: "error", param: "error_code", value: "<code>", about: "failed with this error" },
] as const;

/** commander names `--min-cost` minCost. */
const nameOf = (flag: string) => flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function limitOf({ options }: CommandCall): number {
  const text = options.text("limit") ?? String(DEFAULT_LIMIT);
  const limit = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : null;
  if (limit === null) throw stop("usage", `--limit: must be a whole number from 1 on, got "${text}"`);
  return limit;
}

function queryOf({ options }: CommandCall): URLSearchParams {
  const query = new URLSearchParams();
  for (const { flag, param } of FILTERS) {
    const value = options.text(nameOf(flag));
    if (value !== undefined) query.set(param, value);
  }
  for (const [key, value] of Object.entries(options.pairs("metadata"))) query.set(`metadata.${key}`, value);
  return query;
}

async function readRuns(call: CommandCall): Promise<readonly JsonRecord[]> {
  const api = await call.api();
  const limit = limitOf(call);
  const query = queryOf(call);
  const found: JsonRecord[] = [];
  for (;;) {
    query.set("limit", String(Math.min(PAGE, limit - found.length)));
    const page = asRecord(await api.call(`/api/v1/runs?${query}`));
    found.push(...asRecords(page["data"]));
    const next = asText(asRecord(page["pagination"])["next_cursor"]);
    if (next === null || found.length >= limit) return found;
    query.set("cursor", next);
  }
}

const toRow = (run: JsonRecord): readonly string[] => [
  asText(run["id"]) ?? "",
  `${asText(run["workflow_ref_name"])}@${asText(run["version"])}`,
  `${asText(run["status"])}${run["cached"] === true ? " (cached)" : ""}`,
  showTime(run["created_at"]),
  showSpan(run["duration_ms"]),
  showTokens(run["usage"]),
  showCost(asRecord(run["usage"])["cost_usd"]),
  asText(asRecord(run["error"])["code"]) ?? "",
];

/** `weft runs`: the newest executions, or those that a filter finds. */
export const runs: Command = {
  name: "runs",
  about: "list executions, the newest first",
  args: [],
  flags: [
    ...FILTERS.map(({ flag, value, about }) => ({ flags: `--${flag} ${value}`, about })),
    { flags: "--metadata <key=value>", about: "called with this member of metadata", repeat: true },
    { flags: "--limit <count>", about: `at most this many, default ${DEFAULT_LIMIT}` },
  ],
  examples: [
    "weft runs",
    "weft runs --workflow hello --status failed,cancelled",
    "weft runs --metadata tenant=a --json",
  ],
  async run(call) {
    const found = await readRuns(call);
    if (call.json) return call.terminal.print(JSON.stringify(found));
    if (found.length === 0) return call.terminal.note("There are no such runs.");
    const heading = ["execution", "workflow", "status", "created", "took", "tokens", "cost", "error"];
    for (const line of table(heading, found.map(toRow), call.terminal)) call.terminal.print(line);
  },
};
