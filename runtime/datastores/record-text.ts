import type { SQLOutputValue } from "node:sqlite";
import { type Cell, own } from "./layout.ts";
import type { ColumnType } from "./types.ts";

/** Writes one cell as JSON text; `null` is dealt with before. */
const WRITERS: Readonly<Record<ColumnType, (value: SQLOutputValue) => string>> = {
  text: (value) => JSON.stringify(value),
  integer: String,
  real: String,
  boolean: (value) => (value === 1 ? "true" : "false"),
  json: String,
};

/** Turns rows (arrays of the values of `columns`) into JSON texts without making objects of them. */
export interface RecordText {
  /** What to select, in SQL: the id first. */
  readonly columns: readonly string[];
  /** The data as JSON text. */
  data(row: readonly SQLOutputValue[]): string;
  /** The record, `{"id":…,"data":…}`, with further members (JSON text that ends with a comma) in front. */
  record(row: readonly SQLOutputValue[], more: string): string;
}

/** How to write records that have these fields. */
export function recordText(cells: readonly Cell[]): RecordText {
  const columns = ["id", ...own(cells).map(({ sql }) => sql)];
  const parts = cells.map((cell, at) => ({
    key: `${at === 0 ? "" : ","}${JSON.stringify(cell.name)}:`,
    at: columns.indexOf(cell.sql),
    write: WRITERS[cell.type],
  }));
  const data = (row: readonly SQLOutputValue[]): string => {
    let text = "{";
    for (const { key, at, write } of parts) {
      const value = row[at] ?? null;
      text += value === null ? `${key}null` : key + write(value);
    }
    return `${text}}`;
  };
  return { columns, data, record: (row, more) => `{${more}"id":${JSON.stringify(row[0])},"data":${data(row)}}` };
}
