import type { Limits } from "../../limits.ts";
import { MAX_FOUND_TEXT_FIELDS } from "../limits.ts";
import { parseSchema } from "../schema.ts";
import type { Column, DatastoreSchema } from "../types.ts";
import type { Batches } from "./batch.ts";
import { typeOfKinds } from "./column-kinds.ts";
import { badInput } from "./problem.ts";
import type { DeclaredSchema, Format } from "./types.ts";

/** What is known of a file's columns, in their order. */
export interface FoundData {
  readonly format: Format;
  readonly columns: readonly string[];
  /** Bits of `KIND` of each. */
  readonly kinds: readonly number[];
}

/** A schema, and what has to be said about it. */
export interface Plan {
  readonly schema: DatastoreSchema;
  /** Names of the columns whose type was found in the data. */
  readonly inferred: ReadonlySet<string>;
  readonly remarks: readonly string[];
}

const list = (names: readonly string[]) => {
  const shown = names.slice(0, 20).map((name) => JSON.stringify(name.slice(0, 80)));
  return names.length > shown.length ? `${shown.join(", ")}, …` : shown.join(", ");
};

function chooseId(declared: DeclaredSchema, found: FoundData, parser: Batches): string | null {
  const { format, columns } = found;
  const wanted = declared.idField;
  if (wanted === null) return null;
  if (wanted === undefined) return parser.idField ?? (columns.includes("id") ? "id" : null);
  if (columns.includes(wanted)) return wanted;
  const problem = `the column of the ids is missing; there are: ${list(columns) || "none"}`;
  throw badInput({ format }, { problem, value: wanted });
}

function checkVector(declared: DeclaredSchema, { format, columns }: FoundData): void {
  const { vector } = declared;
  if (vector == null || vector.source !== "data" || columns.includes(vector.field)) return;
  const problem = `the column of the vectors is missing; there are: ${list(columns) || "none"}`;
  throw badInput({ format }, { problem, value: vector.field });
}

function inferColumn(name: string, kinds: number, isId: boolean, remarks: string[]): Column {
  const { type, remark } = typeOfKinds(kinds);
  // Ids are text or integers.
  const idType = type === "integer" ? type : "text";
  if (remark !== null) remarks.push(`Column ${JSON.stringify(name)} ${remark}.`);
  return { name, type: isId ? idType : type, nullable: !isId };
}

/** The columns of keyword search where neither the owner nor the format names any: the first ones of text. */
function findTextFields(columns: readonly Column[], idField: string | null, remarks: string[]): readonly string[] {
  const texts = columns.filter(({ name, type }) => type === "text" && name !== idField).map(({ name }) => name);
  const found = texts.slice(0, MAX_FOUND_TEXT_FIELDS);
  const left = texts.length - found.length;
  const rest = left === 0 ? "" : `, the first ${found.length} of ${texts.length} columns of text`;
  if (found.length > 0) remarks.push(`Keyword search looks at ${list(found)}${rest}; text_fields would name others.`);
  return found;
}

/** The schema of a file: what was declared, and the rest from its data. */
export function planSchema(
  declared: DeclaredSchema,
  found: FoundData,
  parser: Batches,
  limits: Pick<Limits, "maxDatastoreColumns">,
): Plan {
  const idField = chooseId(declared, found, parser);
  checkVector(declared, found);
  const known = new Map(
    [...(parser.columns ?? []), ...(declared.columns ?? [])].map((column) => [column.name, column]),
  );
  const remarks: string[] = [];
  const inferred = new Set<string>();
  const columns: Column[] = [];
  for (const [at, name] of found.columns.entries()) {
    if (name === declared.vector?.field) continue;
    const given = known.get(name);
    if (given === undefined) inferred.add(name);
    columns.push(given ?? inferColumn(name, found.kinds[at] ?? 0, name === idField, remarks));
  }
  const missing = [...known.values()].filter(({ name }) => !found.columns.includes(name));
  for (const { name, nullable } of missing) {
    if (!nullable) throw badInput({ format: found.format }, { problem: "a declared column is missing", value: name });
    remarks.push(`Column ${JSON.stringify(name)} is declared and not in the file; it is null.`);
  }
  const all = [...columns, ...missing];
  const schema = parseSchema(
    {
      idField,
      columns: all,
      textFields: declared.textFields ?? parser.textFields ?? findTextFields(all, idField, remarks),
      filters: declared.filters ?? [],
      vector: declared.vector ?? null,
    },
    limits,
  );
  return { schema, inferred, remarks };
}
