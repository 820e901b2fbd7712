import type { Column } from "../types.ts";
import type { Place } from "./problem.ts";
import type { Format, IngestLimits, IngestOptions } from "./types.ts";

/** A file to read. */
export interface Source {
  readonly path: string;
  readonly format: Format;
  readonly options: IngestOptions;
  readonly limits: IngestLimits;
}

/** Some records of a file, in order. */
export interface Batch {
  /** Columns known so far; a later batch may have more, behind these. */
  readonly columns: readonly string[];
  /** Cells of each record, in the order of the columns; missing ones are null. The receiver may change them. */
  readonly rows: unknown[][];
  /** Of the file, read so far. */
  readonly bytes: number;
  /** Where the record of an index of `rows` is. Valid also when its cells were changed; may be slow. */
  locate(index: number): Place;
}

/** What a parser knows besides its records. */
export interface Batches extends AsyncIterable<Batch> {
  /** True: cells are texts whose type is in what they say, as in CSV. False: cells are values with types. */
  readonly lexical: boolean;
  /** The columns, where the parser makes them; others are found in the data. */
  readonly columns?: readonly Column[];
  /** Column with the ids, where the parser makes them. */
  readonly idField?: string;
  /** Columns of keyword search, where the format has an obvious one; others are found in the data. */
  readonly textFields?: readonly string[];
  /** Sentences on what the parser decided. */
  readonly warnings: readonly string[];
}

/** Bytes of a file that one step of a text parser takes. */
export const BLOCK_BYTES = 128 * 1024;
