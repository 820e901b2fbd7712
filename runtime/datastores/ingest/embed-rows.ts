import { fail } from "../../errors.ts";
import { layoutOf } from "../layout.ts";
import type { DatastoreSchema, VectorField } from "../types.ts";
import type { EncodedRow } from "./row-encoder.ts";

/** Texts of one call of the model, and calls at a time. */
const TEXTS = 64;
const PARALLEL = 4;
/** Characters of one call; a longer text goes alone. */
const CHARS = 100_000;

type Embed = (texts: readonly string[]) => Promise<readonly (readonly number[])[]>;

/** The text that stands for a record: its fields, one after another. */
function textOf(row: EncodedRow, places: readonly number[]): string {
  return places
    .map((at) => row.values[at] ?? null)
    .filter((value) => value !== null)
    .join("\n");
}

function placesOf(schema: DatastoreSchema, fields: readonly string[]): readonly number[] {
  const { byName, stored } = layoutOf(schema);
  return fields.map((name) => stored.indexOf(byName.get(name)?.sql ?? ""));
}

function groupsOf(texts: readonly string[]): readonly (readonly number[])[] {
  const groups: number[][] = [];
  let chars = 0;
  for (const [at, text] of texts.entries()) {
    if (text === "") continue;
    const group = groups.at(-1);
    if (group === undefined || group.length >= TEXTS || chars + text.length > CHARS) {
      groups.push([at]);
      chars = text.length;
    } else {
      group.push(at);
      chars += text.length;
    }
  }
  return groups;
}

function checkVectors(vectors: readonly (readonly number[])[], count: number, field: VectorField): void {
  if (!Array.isArray(vectors) || vectors.length !== count) {
    throw fail("UPSTREAM_FAILED", {
      message: `The embedding model was given ${count} texts and gave ${vectors?.length} vectors.`,
    });
  }
  const wrong = vectors.find((vector) => !Array.isArray(vector) || vector.length !== field.dimensions);
  if (wrong === undefined) return;
  const message = `The embedding model gives vectors of ${wrong?.length} dimensions; ${JSON.stringify(field.field)} has ${field.dimensions}.`;
  throw fail("INVALID_REQUEST", {
    message,
    limit: "dimensions",
    expectedDimensions: field.dimensions,
    foundDimensions: wrong?.length,
  });
}

/** Gives rows the vectors of their texts; rows without any text have none. */
export async function embedRows(
  rows: readonly EncodedRow[],
  schema: DatastoreSchema,
  embed: Embed,
): Promise<readonly EncodedRow[]> {
  const { vector } = schema;
  if (vector === null || vector.source === "data") return rows;
  const places = placesOf(schema, vector.source.fields);
  const texts = rows.map((row) => textOf(row, places));
  const found = new Map<number, readonly number[]>();
  const groups = [...groupsOf(texts)];
  const work = async () => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
      const vectors = await embed(group.map((at) => texts[at] ?? ""));
      checkVectors(vectors, group.length, vector);
      for (const [index, at] of group.entries()) found.set(at, vectors[index] ?? []);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return rows.map((row, at) => ({ ...row, vector: found.get(at) ?? null }));
}
