import type { Layout } from "../layout.ts";
import { MAX_ID_BYTES } from "../limits.ts";
import type { Batches } from "./batch.ts";
import { type Convert, converterOf, EXPECTED, readVector, type SqlValue } from "./cell-converters.ts";
import type { Plan } from "./plan.ts";
import type { Complaint } from "./problem.ts";
import type { Format, IngestLimits } from "./types.ts";

/** A record as the writer takes it: values in the order of `Layout.stored`. */
export interface EncodedRow {
  readonly values: readonly SqlValue[];
  readonly vector: readonly number[] | null;
  /** About how much it takes in the file. */
  readonly chars: number;
}

/** A value that does not fit. `certain`: no type that the data could have makes it fit, or its type was declared. */
export interface Misfit {
  readonly column: string | null;
  readonly complaint: Complaint;
  readonly certain: boolean;
}

/** What an encoder needs to know. */
export interface EncoderSettings {
  readonly format: Format;
  readonly plan: Plan;
  readonly layout: Layout;
  readonly parser: Batches;
  readonly limits: IngestLimits;
}

interface Cell {
  readonly name: string;
  readonly convert: Convert;
  readonly expected: string;
  readonly nullable: boolean;
  readonly declared: boolean;
  /** Empty texts stay what they are. */
  readonly keepsEmpty: boolean;
  /** Place in the row that is read; -1: it has none. */
  readonly from: number;
  readonly isId: boolean;
  /** It is stored as the id and nowhere else. */
  readonly isStoredId: boolean;
}

/** A null where the column may have none. */
const ABSENT = Symbol("absent");

const isNull = (value: unknown, keepsEmpty: boolean) =>
  value === null || value === undefined || (value === "" && !keepsEmpty);

const charsOf = (value: SqlValue) => (typeof value === "string" ? value.length : 8);

function read(cell: Cell, row: readonly unknown[]): SqlValue | symbol {
  const value = cell.from === -1 ? null : row[cell.from];
  if (isNull(value, cell.keepsEmpty)) return cell.nullable ? null : ABSENT;
  return cell.convert(value);
}

/** Turns the cells of rows into what the writer takes, or says what does not fit. */
export class RowEncoder {
  readonly #settings: EncoderSettings;
  readonly #cells: readonly Cell[];
  readonly #vectorFrom: number;
  readonly #hasId: boolean;
  readonly #columns: number;

  constructor(settings: EncoderSettings, columns: readonly string[]) {
    this.#settings = settings;
    this.#columns = columns.length;
    const { plan, layout, parser, format } = settings;
    const { schema } = plan;
    const jsonAsText = format === "csv" || format === "tsv" || format === "sqlite";
    this.#cells = layout.cells.map(({ name, type, nullable, sql }): Cell => {
      const inferred = plan.inferred.has(name);
      const convert = converterOf(type, { lexical: parser.lexical, jsonAsText, inferred });
      const keepsEmpty = type === "text" && (!parser.lexical || !nullable);
      const isId = name === schema.idField;
      const from = columns.indexOf(name);
      const isStoredId = sql === "id";
      const declared = !inferred;
      return { name, convert, expected: EXPECTED[type], nullable, declared, keepsEmpty, from, isId, isStoredId };
    });
    this.#hasId = schema.idField !== null;
    this.#vectorFrom = schema.vector?.source === "data" ? columns.indexOf(schema.vector.field) : -1;
  }

  /** True when rows with these columns can be encoded: none of them is unknown. */
  covers(columns: readonly string[]): boolean {
    return columns.length <= this.#columns;
  }

  /** `number`: of the record, from 1; its id where there is no other. */
  encode(row: readonly unknown[], number: number): EncodedRow | Misfit {
    // The id comes first; it is known once its column was read.
    const values: SqlValue[] = [this.#hasId ? null : String(number)];
    let chars = 0;
    for (const cell of this.#cells) {
      const stored = read(cell, row);
      if (typeof stored === "symbol") return stored === ABSENT ? missing(cell) : misfit(cell, row[cell.from]);
      chars += charsOf(stored);
      if (cell.isId) values[0] = String(stored);
      if (!cell.isStoredId) values.push(stored);
    }
    return this.#check(String(values[0]), chars) ?? this.#finish(row, values, chars);
  }

  #check(id: string, chars: number): Misfit | null {
    const { maxRecordBytes } = this.#settings.limits;
    if (chars > maxRecordBytes) return tooLarge(chars, maxRecordBytes);
    const bytes = id.length * 3 > MAX_ID_BYTES ? Buffer.byteLength(id) : id.length;
    return bytes === 0 || bytes > MAX_ID_BYTES ? badId(this.#settings.plan.schema.idField, id, bytes) : null;
  }

  #finish(row: readonly unknown[], values: readonly SqlValue[], chars: number): EncodedRow | Misfit {
    const vector = this.#vectorFrom === -1 ? null : this.#vector(row[this.#vectorFrom]);
    return vector !== null && "complaint" in vector ? vector : { values, vector, chars };
  }

  #vector(value: unknown): readonly number[] | null | Misfit {
    const field = this.#settings.plan.schema.vector;
    if (field === null || isNull(value, false)) return null;
    const vector = readVector(value);
    const { dimensions } = field;
    const problem =
      vector === null
        ? `expected a list of ${dimensions} finite numbers`
        : `expected ${dimensions} dimensions, found ${vector.length}`;
    if (vector?.length === dimensions) return vector;
    const facts = { expectedDimensions: dimensions, foundDimensions: vector?.length ?? null };
    return { column: field.field, complaint: { problem, value, facts }, certain: true };
  }
}

function missing({ name, isId }: Cell): Misfit {
  const problem = isId ? "expected an id, the cell is empty" : "expected a value, the column is not nullable";
  return { column: name, complaint: { problem }, certain: true };
}

function badId(column: string | null, id: string, bytes: number): Misfit {
  if (bytes === 0) return { column, complaint: { problem: "expected an id, the text is empty" }, certain: true };
  const limit = { name: "maxIdBytes", value: MAX_ID_BYTES };
  return { column, complaint: { problem: `the id has ${bytes} bytes`, value: id, limit }, certain: true };
}

function tooLarge(chars: number, max: number): Misfit {
  const limit = { name: "maxRecordBytes", value: max };
  return { column: null, complaint: { problem: `the record has ${chars} characters`, limit }, certain: true };
}

function misfit({ name, expected, declared }: Cell, value: unknown): Misfit {
  const certain = declared || (typeof value === "number" && !Number.isFinite(value)) || isBroken(value);
  return { column: name, complaint: { problem: expected, value }, certain };
}

/** Half of a surrogate pair is no text, whatever the type. */
const isBroken = (value: unknown) => typeof value === "string" && !value.isWellFormed();
