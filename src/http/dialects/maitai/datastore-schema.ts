import { FORMATS } from "../../../../runtime/index.ts";

const text = { type: "string" } as const;
const names = { type: "array", items: text, maxItems: 2_000 } as const;

/** JSON Schema of the members that say what a datastore's records are. */
export const DEFINITION_PROPERTIES = {
  id_field: {
    type: ["string", "null"],
    description: "Column that has the id; default `id` where there is one; null: ids are the numbers of the records.",
  },
  columns: {
    type: "array",
    maxItems: 2_000,
    items: {
      type: "object",
      required: ["name", "type"],
      additionalProperties: false,
      properties: {
        name: text,
        type: { type: "string", enum: ["text", "integer", "real", "boolean", "json"] },
        nullable: { type: "boolean" },
      },
    },
    description: "Types of columns; those of others are found in the data.",
  },
  text_fields: {
    ...names,
    description:
      "Columns that keyword search looks at; default: the first 32 of text, but the id; an empty list: none.",
  },
  filters: { ...names, description: "Columns that are often filtered by: they get an index." },
  vector: {
    type: ["object", "null"],
    additionalProperties: false,
    properties: {
      field: { ...text, description: "Its name; default `embedding`." },
      dimensions: { type: "integer", minimum: 1, maximum: 8_192 },
      metric: { type: "string", enum: ["cosine"] },
      fields: {
        ...names,
        description: "Columns whose text is made into the vector; without them it comes with the data.",
      },
      model: { ...text, description: "Model that makes it; default: the configured one." },
    },
    description: "The vector of each record.",
  },
} as const;

/** JSON Schema of a new datastore. */
export const NEW_DATASTORE_SCHEMA = {
  type: "object",
  required: ["name"],
  additionalProperties: false,
  properties: {
    name: {
      ...text,
      description: '1 to 64 letters, digits, "_", "." or "-", beginning with a letter or digit.',
    },
    ...DEFINITION_PROPERTIES,
  },
} as const;

const flag = { type: "string", enum: ["true", "false"] } as const;
const count = { type: "string", pattern: "^\\d{1,9}$" } as const;

/** JSON Schema of the query of an import. */
export const IMPORT_QUERY = {
  type: "object",
  additionalProperties: false,
  properties: {
    format: { type: "string", enum: FORMATS, description: "Default: as the file's name says (form uploads only)." },
    create: { ...flag, description: "True: makes the datastore when there is none of that name." },
    definition: { ...text, description: "JSON: id_field, columns, text_fields, filters, vector; default: as before." },
    id_field: text,
    text_fields: { ...text, description: "Names separated by commas; empty: no keyword search." },
    filters: { ...text, description: "Names separated by commas." },
    on_duplicate: { type: "string", enum: ["error", "last", "first"], description: "Two records with the same id." },
    delimiter: { ...text, description: "Between cells; default: found in the file." },
    quote: { ...text, description: 'Around cells; default ".' },
    header: { ...flag, description: "False: the first line is a record." },
    table: { ...text, description: "SQLite: which table." },
    binary_as_text: flag,
    chunk_chars: count,
    chunk_overlap: count,
  },
} as const;

const FILTER = {
  type: "object",
  description: 'Fields with values, or with conditions such as { "$gte": 1 }.',
} as const;

/** JSON Schema of a search. */
export const SEARCH_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    query: text,
    vector: { type: "array", items: { type: "number" }, maxItems: 8_192 },
    mode: { type: "string", enum: ["keyword", "vector", "hybrid"] },
    filter: FILTER,
    top_k: { type: "integer", minimum: 1, maximum: 1_000 },
    offset: { type: "integer", minimum: 0 },
    fields: names,
    min_score: { type: "number" },
  },
} as const;

/** JSON Schema of a query. */
export const QUERY_SCHEMA = {
  type: "object",
  required: ["sql"],
  additionalProperties: false,
  properties: {
    sql: { ...text, description: "One SELECT over `records`, or over the datastore's name." },
    params: { type: ["array", "object"], description: "Values of `?` in order, or of `:name` by name." },
  },
} as const;

/** JSON Schema of a count. */
export const COUNT_SCHEMA = { type: "object", additionalProperties: false, properties: { filter: FILTER } } as const;

/** JSON Schema of a list of ids. */
export const IDS_SCHEMA = {
  type: "object",
  required: ["ids"],
  additionalProperties: false,
  properties: { ids: { type: "array", items: text, maxItems: 1_000 } },
} as const;

/** JSON Schema of the query of a list of records. */
export const RECORDS_QUERY = {
  type: "object",
  additionalProperties: false,
  properties: {
    filter: { ...text, description: "JSON object." },
    limit: { type: "string", pattern: "^[1-9]\\d{0,3}$", description: "1 to 1000, default 100" },
    cursor: { ...text, description: "`next_cursor` of the page before." },
  },
} as const;
