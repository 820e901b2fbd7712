import { badArgument, isObject, overLimit, shown, wholeNumber } from "./complain.ts";
import { compileFilter, type FilterSql } from "./filter.ts";
import { compileKeywords, type KeywordQuery } from "./keyword.ts";
import type { Cell, Layout } from "./layout.ts";
import { MAX_OFFSET, MAX_TOP_K } from "./limits.ts";
import type { DatastoreSchema, SearchMode, SearchParams } from "./types.ts";
import { toVectorBytes } from "./vector.ts";

/** A search as it is carried out. */
export interface Search {
  readonly mode: SearchMode;
  /** Null where the mode has no keywords, or the text no word. */
  readonly keywords: KeywordQuery | null;
  /** Null where the mode has no vector. */
  readonly vector: Uint8Array | null;
  readonly filter: FilterSql | null;
  readonly topK: number;
  readonly offset: number;
  readonly minScore: number;
  readonly cells: readonly Cell[];
}

const MODES: readonly SearchMode[] = ["keyword", "vector", "hybrid"];
const MEMBERS = ["query", "vector", "mode", "filter", "top_k", "offset", "fields", "min_score"];
const DEFAULT_TOP_K = 10;

/**
 * The mode of a search: the one it names, else hybrid for a vector and a text, vector for a vector, and for a text
 * keyword where the datastore has text fields. Throws INVALID_ARGUMENT where the datastore cannot do it.
 */
export function searchMode(params: SearchParams, schema: DatastoreSchema): SearchMode {
  const byText = schema.textFields.length > 0 ? "keyword" : "vector";
  const fallback = isGiven(params.vector)
    ? isGiven(params.query) && byText === "keyword"
      ? "hybrid"
      : "vector"
    : byText;
  const named = params.mode ?? fallback;
  const mode = MODES.find((known) => known === named);
  if (mode === undefined)
    throw badArgument(`mode must be one of ${MODES.join(", ")}, got ${shown(params.mode)}`, { field: "mode" });
  if (mode !== "vector" && schema.textFields.length === 0)
    throw badArgument(`a ${mode} search needs text fields, and this datastore has none`, { field: "mode" });
  if (mode !== "keyword" && schema.vector === null)
    throw badArgument(`a ${mode} search needs vectors, and this datastore has none`, { field: "mode" });
  return mode;
}

/** Whether the text of a search has to be embedded before it can be carried out: by the model that the schema names. */
export function needsEmbedding(params: SearchParams, schema: DatastoreSchema): boolean {
  return searchMode(params, schema) !== "keyword" && !isGiven(params.vector) && isGiven(params.query);
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** The columns that a read returns: all, or those named. */
export function parseFields(fields: unknown, { cells, byName }: Layout): readonly Cell[] {
  if (!isGiven(fields)) return cells;
  if (!Array.isArray(fields)) throw badArgument(`fields must be a list, got ${shown(fields)}`, { field: "fields" });
  if (fields.length > cells.length + 1) throw overLimit("fields", "columns", cells.length, fields.length);
  // The id comes beside the data whether it is asked for or not.
  const named = [...new Set(fields)].filter((name) => name !== "id" || byName.has("id"));
  return named.map((name) => {
    const cell = byName.get(name);
    if (cell === undefined) throw badArgument(`fields: there is no field ${shown(name)}`, { field: name });
    return cell;
  });
}

function parseVector(params: SearchParams, schema: DatastoreSchema): Uint8Array {
  const { vector } = schema;
  if (vector === null || !isGiven(params.vector)) {
    const how =
      vector?.source === "data"
        ? "; texts of this datastore are not embedded"
        : ', or mode "vector" or "hybrid", with which the query is embedded first';
    throw badArgument(`a search by vector needs a vector${how}`, { field: "vector" });
  }
  const complain = (message: string, details: object) =>
    badArgument(`vector: ${message}`, { field: "vector", ...details });
  return toVectorBytes(params.vector, vector.dimensions, complain);
}

function parseMinScore(value: unknown): number {
  if (!isGiven(value)) return Number.NEGATIVE_INFINITY;
  if (typeof value === "number") return value;
  throw badArgument(`min_score must be a number, got ${shown(value)}`, { field: "min_score" });
}

/** Checks what a user asks for; throws INVALID_ARGUMENT and LIMIT_EXCEEDED. A vector must be there already. */
export function parseSearch(params: unknown, layout: Layout): Search {
  if (!isObject(params)) throw badArgument(`a search must be an object, got ${shown(params)}`, { field: "search" });
  const unknown = Object.keys(params).find((key) => !MEMBERS.includes(key));
  if (unknown !== undefined)
    throw badArgument(`a search has no member ${shown(unknown)}; it has ${MEMBERS.join(", ")}`, { field: unknown });
  const asked: SearchParams = params;
  const mode = searchMode(asked, layout.schema);
  if (mode !== "vector" && !isGiven(asked.query))
    throw badArgument(`a ${mode} search needs a query`, { field: "query" });
  return {
    mode,
    keywords: mode === "vector" ? null : compileKeywords(asked.query),
    vector: mode === "keyword" ? null : parseVector(asked, layout.schema),
    filter: compileFilter(asked.filter, layout),
    topK: wholeNumber(asked.top_k, "top_k", [1, MAX_TOP_K], DEFAULT_TOP_K),
    offset: wholeNumber(asked.offset, "offset", [0, MAX_OFFSET], 0),
    minScore: parseMinScore(asked.min_score),
    cells: parseFields(asked.fields, layout),
  };
}
