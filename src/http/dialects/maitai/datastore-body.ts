import {
  type DatastoreSchema,
  FORMATS,
  type Format,
  fail,
  formatOfName,
  type IngestOptions,
  OPTION_NAMES,
  parseIngestOptions,
  toWorkflowError,
} from "../../../../runtime/index.ts";
import type { DatastoreDefinition, ShownImport } from "../../../engine/datastores/datastore-service.ts";
import type { Datastore } from "../../../engine/types.ts";
import { schemaError } from "../../request-errors.ts";
import { toErrorMember } from "./errors.ts";

/** A definition in the API's own words. */
export interface DefinitionBody {
  readonly id_field?: string | null;
  readonly columns?: readonly {
    readonly name: string;
    readonly type: DatastoreSchema["columns"][number]["type"];
    readonly nullable?: boolean;
  }[];
  readonly text_fields?: readonly string[];
  readonly filters?: readonly string[];
  readonly vector?: {
    readonly field?: string;
    readonly dimensions?: number;
    readonly fields?: readonly string[];
    readonly model?: string;
  } | null;
}

function toVector(vector: NonNullable<DefinitionBody["vector"]>): NonNullable<DatastoreDefinition["vector"]> {
  const { field = "embedding", dimensions = null, fields = null, model = null } = vector;
  if (fields === null && dimensions === null)
    throw fail("INVALID_REQUEST", {
      message: "vector.dimensions: is required where the vectors come with the data (without vector.fields)",
      param: "vector.dimensions",
    });
  return { field, dimensions, fields, model };
}

/** What a definition says; what it leaves out is found in the data. */
export function toDefinition({
  id_field: idField,
  columns,
  text_fields: textFields,
  ...body
}: DefinitionBody): DatastoreDefinition {
  const { filters, vector } = body;
  return {
    ...(idField === undefined ? {} : { idField }),
    ...(columns === undefined ? {} : { columns: columns.map((column) => ({ nullable: true, ...column })) }),
    ...(textFields === undefined ? {} : { textFields }),
    ...(filters === undefined ? {} : { filters }),
    ...(vector === undefined ? {} : { vector: vector === null ? null : toVector(vector) }),
  };
}

/** The query of an import, as its schema has checked it. */
export interface ImportQuery {
  readonly format?: Format;
  readonly create?: string;
  readonly definition?: string;
  readonly id_field?: string;
  readonly text_fields?: string;
  readonly filters?: string;
}

/** Checks a definition that came as text; made of the schema that checks bodies. */
export type CheckDefinition = (value: unknown) => Parameters<typeof schemaError>[0];

const namesIn = (list: string) => (list.trim() === "" ? [] : list.split(",").map((name) => name.trim()));

function parseDefinition(text: string, check: CheckDefinition): DefinitionBody {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail("INVALID_REQUEST", { message: "definition: must be JSON", param: "definition" }, cause);
  }
  const complaints = check(value);
  if (complaints.length > 0) throw schemaError(complaints);
  return value as DefinitionBody;
}

/** The definition that an import asks for; null when it says nothing. */
export function definitionOf(query: ImportQuery, check: CheckDefinition): DatastoreDefinition | null {
  const { definition, id_field: idField, text_fields: textFields, filters } = query;
  if (definition === undefined && idField === undefined && textFields === undefined && filters === undefined)
    return null;
  return toDefinition({
    ...(definition === undefined ? {} : parseDefinition(definition, check)),
    ...(idField === undefined ? {} : { id_field: idField }),
    ...(textFields === undefined ? {} : { text_fields: namesIn(textFields) }),
    ...(filters === undefined ? {} : { filters: namesIn(filters) }),
  });
}

/** How the file of an import is read; what is left out has its default. */
export function optionsOf(query: ImportQuery): Partial<IngestOptions> {
  return parseIngestOptions(Object.fromEntries(Object.entries(query).filter(([name]) => OPTION_NAMES.includes(name))));
}

/** The format that a file's name says; INVALID_REQUEST when it says none. */
export function formatOf(filename: string, param: string): Format {
  const format = formatOfName(filename);
  if (format !== null) return format;
  const message = `${param}: the format of ${JSON.stringify(filename.slice(0, 100))} is not known by its name; name it like data.csv (${FORMATS.join(", ")}), or say format`;
  throw fail("INVALID_REQUEST", { message, param });
}

const seconds = (ms: number) => ms / 1_000;

function toSchemaMembers({ idField, columns, textFields, filters, vector }: DatastoreSchema): object {
  const source = vector === null || vector.source === "data" ? {} : vector.source;
  return {
    id_field: idField,
    columns,
    text_fields: textFields,
    filters,
    vector:
      vector === null ? null : { field: vector.field, dimensions: vector.dimensions, metric: vector.metric, ...source },
  };
}

/** A datastore as answers show it; before the first records its columns are as they were asked for. */
export function toDatastoreView({ id, name, current, definition, createdAt, updatedAt }: Datastore): object {
  const asked = JSON.parse(definition) as DatastoreDefinition;
  const empty = {
    id_field: asked.idField ?? null,
    columns: asked.columns ?? [],
    text_fields: asked.textFields ?? [],
    filters: asked.filters ?? [],
    vector: asked.vector ?? null,
  };
  return {
    id,
    object: "datastore",
    name,
    revision: current?.revision ?? 0,
    rows: current?.rows ?? 0,
    bytes: current?.bytes ?? 0,
    ...(current === null ? empty : toSchemaMembers(JSON.parse(current.schema) as DatastoreSchema)),
    created_at: seconds(createdAt),
    updated_at: seconds(updatedAt),
  };
}

/** An import as answers show it. */
export function toImportView(item: ShownImport, requestId: string): object {
  const { state, progress, usage } = item;
  return {
    id: item.id,
    object: "datastore_import",
    datastore: item.datastore,
    status: state.status,
    format: item.format,
    bytes: item.bytes,
    progress:
      progress === null
        ? null
        : { phase: progress.phase, bytes: progress.bytes, total_bytes: progress.totalBytes, rows: progress.rows },
    rows: state.status === "complete" ? state.rows : null,
    revision: state.status === "complete" ? state.revision : null,
    warnings: state.status === "complete" ? state.warnings : [],
    error: "error" in state ? toErrorMember(state.error, requestId) : null,
    tokens: usage.tokens,
    cost_usd: usage.costUsd,
    created_at: seconds(item.createdAt),
    started_at: "startedAt" in state ? seconds(state.startedAt) : null,
    ended_at: "endedAt" in state ? seconds(state.endedAt) : null,
    url: `/api/v1/datastores/${item.datastore}/imports/${item.id}`,
  };
}

/** Waits for a read; errors that scripts get as they are become those of a request. */
export async function asRequest<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    const { code, message, details } = toWorkflowError(thrown);
    if (code !== "INVALID_ARGUMENT" && code !== "LIMIT_EXCEEDED") throw thrown;
    const param = typeof details["field"] === "string" ? details["field"] : null;
    const own = code === "LIMIT_EXCEEDED" ? { code: "limit_exceeded" } : {};
    throw fail("INVALID_REQUEST", { ...details, message, param, ...own });
  }
}
