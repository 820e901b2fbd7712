import { fail } from "../../../../runtime/index.ts";
import type { RunQuery } from "../../../engine/run-list.ts";
import { parseExecutionId } from "../../ids.ts";
import { ERROR_TABLE } from "./errors.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";

type Filter = RunQuery["filter"];
type Status = NonNullable<Filter["statuses"]>[number];
type Mode = NonNullable<Filter["mode"]>;
type Query = PageQuery & Readonly<Record<string, string | readonly string[] | undefined>>;

const STATUSES: readonly Status[] = ["queued", "running", "waiting", "completed", "failed", "cancelled"];
const MODES: readonly Mode[] = ["sync", "stream", "background", "nested"];
const METADATA = "metadata.";
const MAX_METADATA = 16;
/** Longest text of a filter, in UTF-16 units. */
const MAX_TEXT = 1_000;
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
const SECONDS = /^\d{1,11}(\.\d{1,9})?$/;
const AMOUNT = /^\d{1,15}(\.\d{1,15})?$/;

const refuse = (param: string, rule: string, value: string) =>
  fail("INVALID_REQUEST", { message: `${param}: must be ${rule}, got ${JSON.stringify(value.slice(0, 100))}`, param });

/** The only value of a parameter; undefined when it was not given. */
function one(query: Query, param: string): string | undefined {
  const value = query[param];
  if (value === undefined || typeof value === "string") {
    if (value === undefined || value.length <= MAX_TEXT) return value;
    throw fail("INVALID_REQUEST", { message: `${param}: ${value.length} characters, over ${MAX_TEXT}`, param });
  }
  throw fail("INVALID_REQUEST", { message: `${param}: may be given once, got it ${value.length} times`, param });
}

/** The value of a parameter as `parse` reads it, undefined when it was not given; `parse` returns null for a value that is not valid. */
function read<T>(query: Query, param: string, rule: string, parse: (text: string) => T | null): T | undefined {
  const text = one(query, param);
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === null) throw refuse(param, rule, text);
  return value;
}

function parseTime(text: string): number | null {
  if (SECONDS.test(text)) return Number(text) * 1_000;
  const ms = ISO.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

const timeOf = (query: Query, param: string) =>
  read(query, param, "ISO 8601, such as 2026-11-25T10:00:00Z, or seconds since the epoch", parseTime);

const amountOf = (query: Query, param: string) =>
  read(query, param, "an amount in USD that is not negative", (text) => (AMOUNT.test(text) ? Number(text) : null));

function wordOf<const W extends string>(query: Query, param: string, words: readonly W[]): W | undefined {
  return read(query, param, `one of ${words.join(", ")}`, (text) => words.find((word) => word === text) ?? null);
}

function statusesOf({ status }: Query): readonly Status[] | undefined {
  if (status === undefined) return undefined;
  const words = (typeof status === "string" ? [status] : status).flatMap((text) => text.split(","));
  return words.map((word) => {
    const found = STATUSES.find((known) => known === word);
    if (found === undefined) throw refuse("status", `one or several of ${STATUSES.join(", ")}`, word);
    return found;
  });
}

/** The words of this API for errors of ctx calls, and how the names of these calls begin. */
const OP_ERRORS: Readonly<Record<string, string>> = { chat_error: "chat.", http_error: "http." };

/** Codes of the catalogue, of this API (one may stand for several) and of the scripts themselves are all understood. */
function errorOf(query: Query): Filter["error"] {
  const code = one(query, "error_code");
  if (code === undefined) return undefined;
  const rows = Object.entries(ERROR_TABLE).filter(([, row]) => row.code === code);
  return { codes: [code, ...rows.map(([name]) => name)], opPrefix: OP_ERRORS[code] ?? null };
}

function metadataOf(query: Query): Filter["metadata"] {
  const names = Object.keys(query).filter((name) => name.startsWith(METADATA));
  if (names.length === 0) return undefined;
  if (names.length > MAX_METADATA) {
    const message = `metadata: ${names.length} members, over ${MAX_METADATA}`;
    throw fail("INVALID_REQUEST", { message, param: "metadata" });
  }
  return Object.fromEntries(names.map((name) => [name.slice(METADATA.length), one(query, name) ?? ""]));
}

const flagOf = (word: string) => (word === "true" || word === "false" ? word === "true" : null);

/** A parameter that may be given is an absent member when it was not. */
function filterOf(query: Query): Filter {
  const members = {
    statuses: statusesOf(query),
    createdFrom: timeOf(query, "created_after"),
    createdBefore: timeOf(query, "created_before"),
    finishedFrom: timeOf(query, "finished_after"),
    finishedBefore: timeOf(query, "finished_before"),
    sessionId: one(query, "session_id"),
    parentId: read(query, "parent_run", "the id of a run", parseExecutionId),
    cached: read(query, "cached", "true or false", flagOf),
    mode: wordOf(query, "mode", MODES),
    minCostUsd: amountOf(query, "min_cost"),
    maxCostUsd: amountOf(query, "max_cost"),
    error: errorOf(query),
    metadata: metadataOf(query),
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Filter;
}

const text = (description: string) => ({ type: "string", description });

/** JSON Schema of the query of a list of runs of one workflow. */
export const RUNS_QUERY = {
  type: "object",
  additionalProperties: false,
  properties: {
    ...PAGE_SCHEMA.properties,
    cursor: text("`next_cursor` of the page before; opaque. Rows added or removed meanwhile do not move it."),
    status: {
      anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
      description: `Any of ${STATUSES.join(", ")}; several separated by commas or as repeated parameters`,
    },
    created_after: text("At this time or later: ISO 8601 or seconds since the epoch"),
    created_before: text("Earlier than this"),
    finished_after: text("Ended at this time or later; the list is sorted by end then"),
    finished_before: text("Ended earlier than this; the list is sorted by end then"),
    session_id: text("Exactly this session"),
    cached: { type: "string", enum: ["true", "false"] },
    mode: { type: "string", enum: MODES },
    parent_run: text("Runs that this run called, the last call first"),
    min_cost: text("Cost in USD, at least"),
    max_cost: text("Cost in USD, at most"),
    error_code: text("Code of the error, as the API or the script names it"),
  },
  patternProperties: { "^metadata\\.": { type: "string", description: "metadata.<key>=<value>, exactly" } },
};

/** JSON Schema of the query of a list of all runs. */
export const ALL_RUNS_QUERY = {
  ...RUNS_QUERY,
  properties: { ...RUNS_QUERY.properties, workflow: text("Ref name, number or UUID of a workflow") },
};

/** Translates the query of a list; throws INVALID_REQUEST naming parameter, rule and value. */
export function toRunQuery(query: Query, accountId: string, ref: string | null): RunQuery {
  const named = ref ?? one(query, "workflow") ?? null;
  return { accountId, ref: named, filter: filterOf(query), cursor: one(query, "cursor") ?? null, ...pageOf(query) };
}
