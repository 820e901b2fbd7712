import { type DeclaredSchema, fail, type IngestOptions } from "../../../runtime/index.ts";
import type { DatastoreDefinition } from "./datastore-service.ts";

/** Characters of a definition as JSON. */
const MAX_CHARS = 1_000_000;

/** A definition as it is stored. */
export function definitionText(definition: DatastoreDefinition): string {
  const text = JSON.stringify(definition);
  if (text.length <= MAX_CHARS) return text;
  throw fail("INVALID_REQUEST", {
    message: `datastore: its definition has ${text.length} characters, over ${MAX_CHARS}`,
  });
}

/** A stored definition. */
export const parseDefinition = (text: string): DatastoreDefinition => JSON.parse(text) as DatastoreDefinition;

/** Stored options of an import. */
export const parseOptions = (text: string): Partial<IngestOptions> => JSON.parse(text) as Partial<IngestOptions>;

/** How a model is asked for the count of numbers that it gives. */
export type Probe = (model: string | null) => Promise<{ readonly model: string; readonly dimensions: number }>;

/** The schema that an import is asked for; what a vector leaves open is asked of its model. */
export async function toDeclared({ vector, ...rest }: DatastoreDefinition, probe: Probe): Promise<DeclaredSchema> {
  if (vector === undefined || vector === null) return vector === null ? { ...rest, vector: null } : rest;
  const { field, fields, dimensions } = vector;
  const metric = "cosine";
  if (fields === null) {
    if (dimensions === null)
      throw fail("INVALID_REQUEST", {
        message: "vector.dimensions: is required where the vectors come with the data",
        param: "vector",
      });
    return { ...rest, vector: { field, dimensions, metric, source: "data" } };
  }
  const known = dimensions !== null && vector.model !== null;
  const found = known ? { model: vector.model, dimensions } : await probe(vector.model);
  return {
    ...rest,
    vector: {
      field,
      dimensions: dimensions ?? found.dimensions,
      metric,
      source: { fields, model: found.model ?? "" },
    },
  };
}
