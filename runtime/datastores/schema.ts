import { fail, type WorkflowError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { MAX_DIMENSIONS, MAX_FILTERS, MAX_NAME_CHARS } from "./limits.ts";
import type { Column, ColumnType, DatastoreSchema, VectorField } from "./types.ts";

const TYPES: readonly ColumnType[] = ["text", "integer", "real", "boolean", "json"];

/** More cannot be: SQLite takes 2,000, and some are ours. */
const MOST_COLUMNS = 1_900;

const refuse = (message: string, details: Readonly<Record<string, unknown>> = {}): WorkflowError =>
  fail("INVALID_REQUEST", { message: `schema: ${message}`, ...details });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? String(value);

function onlyKnown(value: Readonly<Record<string, unknown>>, known: readonly string[], where: string): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw refuse(`${where} has no member ${shown(unknown)}; it has ${known.join(", ")}`, { field: unknown });
}

function parseName(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "") throw refuse(`${where} must be a name, got ${shown(value)}`);
  if (value.length > MAX_NAME_CHARS)
    throw refuse(`${where} is a name of ${value.length} characters; the limit is ${MAX_NAME_CHARS}`, {
      field: value.slice(0, 80),
      limit: "maxNameChars",
      value: value.length,
    });
  if (!value.isWellFormed() || value.includes("\0"))
    throw refuse(`${where} has a NUL character or half of a surrogate pair`, { field: value });
  return value;
}

function parseColumn(value: unknown, at: number): Column {
  if (!isObject(value)) throw refuse(`columns[${at}] must be an object, got ${shown(value)}`);
  onlyKnown(value, ["name", "type", "nullable"], `columns[${at}]`);
  const name = parseName(value["name"], `columns[${at}].name`);
  const type = TYPES.find((known) => known === value["type"]);
  if (type === undefined)
    throw refuse(`the type of ${shown(name)} must be one of ${TYPES.join(", ")}, got ${shown(value["type"])}`, {
      field: name,
    });
  const { nullable = true } = value;
  if (typeof nullable !== "boolean") throw refuse(`columns[${at}].nullable must be true or false`, { field: name });
  return { name, type, nullable };
}

function parseColumns(value: unknown, max: number): readonly Column[] {
  if (!Array.isArray(value)) throw refuse(`columns must be a list, got ${shown(value)}`);
  const most = Math.min(max, MOST_COLUMNS);
  if (value.length > most)
    throw refuse(`${value.length} columns; the limit maxDatastoreColumns is ${most}`, {
      limit: "maxDatastoreColumns",
      value: value.length,
    });
  const columns = value.map(parseColumn);
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name)) throw refuse(`two columns have the name ${shown(name)}`, { field: name });
    seen.add(name);
  }
  return columns;
}

/** A list of columns of some types. */
function parseFields(value: unknown, where: string, columns: readonly Column[], types = TYPES): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw refuse(`${where} must be a list of columns, got ${shown(value)}`);
  for (const name of value) {
    const column = columns.find((known) => known.name === name);
    if (column === undefined) throw refuse(`${where} names ${shown(name)}, which is not a column`, { field: name });
    if (!types.includes(column.type))
      throw refuse(`${where} names ${shown(name)}, which is ${column.type} and not ${types.join(" or ")}`, {
        field: name,
      });
  }
  return [...new Set<string>(value)];
}

function parseSource(value: unknown, columns: readonly Column[]): VectorField["source"] {
  if (value === "data" || value === undefined) return "data";
  if (!isObject(value)) throw refuse(`vector.source must be "data" or { fields, model }, got ${shown(value)}`);
  onlyKnown(value, ["fields", "model"], "vector.source");
  const fields = parseFields(value["fields"], "vector.source.fields", columns);
  if (fields.length === 0) throw refuse("vector.source.fields must name at least one column");
  return { fields, model: parseName(value["model"], "vector.source.model") };
}

function parseVector(value: unknown, columns: readonly Column[]): VectorField | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw refuse(`vector must be an object, got ${shown(value)}`);
  onlyKnown(value, ["field", "dimensions", "metric", "source"], "vector");
  const { dimensions, metric = "cosine" } = value;
  const field = parseName(value["field"] ?? "embedding", "vector.field");
  if (columns.some(({ name }) => name === field))
    throw refuse(`vector.field ${shown(field)} is also a column`, { field });
  if (typeof dimensions !== "number" || !Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS)
    throw refuse(`vector.dimensions must be a whole number from 1 to ${MAX_DIMENSIONS}, got ${shown(dimensions)}`, {
      field,
      limit: "maxDimensions",
      value: dimensions,
    });
  if (metric !== "cosine") throw refuse(`vector.metric must be "cosine", got ${shown(metric)}`, { field });
  return { field, dimensions, metric, source: parseSource(value["source"], columns) };
}

function parseIdField(value: unknown, columns: readonly Column[]): string | null {
  if (value === undefined || value === null) return null;
  const [name = null] = parseFields([value], "idField", columns, ["text", "integer"]);
  return name;
}

/** Checks a schema that a user or a file wrote; throws INVALID_REQUEST naming the field, the limit and the value. */
export function parseSchema(value: unknown, limits: Pick<Limits, "maxDatastoreColumns">): DatastoreSchema {
  if (!isObject(value)) throw refuse(`must be an object, got ${shown(value)}`);
  onlyKnown(value, ["idField", "columns", "textFields", "filters", "vector"], "it");
  const columns = parseColumns(value["columns"], limits.maxDatastoreColumns);
  const filters = parseFields(value["filters"], "filters", columns);
  if (filters.length > MAX_FILTERS)
    throw refuse(`${filters.length} filters; the limit is ${MAX_FILTERS}`, {
      limit: "maxFilters",
      value: filters.length,
    });
  return {
    idField: parseIdField(value["idField"], columns),
    columns,
    textFields: parseFields(value["textFields"], "textFields", columns, ["text", "json"]),
    filters,
    vector: parseVector(value["vector"], columns),
  };
}
