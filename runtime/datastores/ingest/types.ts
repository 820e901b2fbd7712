import type { Limits } from "../../limits.ts";
import type { Column, DatastoreSchema, VectorField } from "../types.ts";

/** The formats that can be imported. */
export const FORMATS = ["csv", "tsv", "json", "jsonl", "parquet", "sqlite", "text", "markdown"] as const;

/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

/** What happens when two records of a file have the same id. */
export type OnDuplicate = "error" | "last" | "first";

/** How a file is read; every member has a default, see {@link DEFAULT_OPTIONS}. */
export interface IngestOptions {
  readonly onDuplicate: OnDuplicate;
  /** CSV: one character between cells; null: found from the first lines. */
  readonly delimiter: string | null;
  /** CSV and TSV: the character around cells; empty: none. */
  readonly quote: string;
  /** CSV and TSV: the first line has the names of the columns; false: they are `column_1`, `column_2`, … */
  readonly header: boolean;
  /** SQLite: the table; null: the only one. */
  readonly table: string | null;
  /** Parquet: byte columns without a declared encoding are UTF-8 text; false: they become base64. */
  readonly binaryAsText: boolean;
  /** Text and Markdown: characters of a chunk, and how many of them it shares with the one before. */
  readonly chunkChars: number;
  readonly chunkOverlap: number;
}

/** The parts of a schema that the caller decides; the rest is found in the data. */
export interface DeclaredSchema {
  /** Column that has the id. Left out: `id` where there is such a column; null: ids are the numbers of the records. */
  readonly idField?: string | null;
  /** Types of columns; what does not fit them is an error. Columns that are not listed get the type of their data. */
  readonly columns?: readonly Column[];
  /** Left out: the chunks' text for text and Markdown, the first columns of text for others; empty: no keyword search. */
  readonly textFields?: readonly string[];
  readonly filters?: readonly string[];
  readonly vector?: VectorField | null;
}

/** How far an import is. */
export interface IngestProgress {
  /** `waiting`: for embeddings. `indexing`: all is read, indexes are built. */
  readonly phase: "reading" | "waiting" | "indexing";
  /** Bytes read of `totalBytes`; in a second reading they count anew. */
  readonly bytes: number;
  readonly totalBytes: number;
  readonly rows: number;
}

/** What an import has done. */
export interface IngestReport {
  readonly schema: DatastoreSchema;
  /** Records in the new file. */
  readonly rows: number;
  /** Of the imported file. */
  readonly bytes: number;
  /** Sentences on what was decided or changed, such as a column of mixed types; at most 100. */
  readonly warnings: readonly string[];
}

/** Bounds of one import. */
export type IngestLimits = Pick<
  Limits,
  | "maxRecordBytes"
  | "maxDatastoreColumns"
  | "maxRowGroupBytes"
  | "maxDatastoreBytes"
  | "importMemoryMb"
  | "importMs"
  | "importStallMs"
>;

/** One import into a new file. */
export interface IngestRequest {
  /** Path of the file to read; made by us, never by a user. */
  readonly source: string;
  readonly format: Format;
  readonly options?: Partial<IngestOptions>;
  readonly schema?: DeclaredSchema;
  /** Path of the datastore file to write; it exists, complete and durable, once the import has resolved, and never before. */
  readonly target: string;
  /** The first revision of that file (`WriterOptions.revision`): the one that readers come to when the import is published. */
  readonly revision: number;
  readonly limits: IngestLimits;
  /** Embeds texts, in order; needed when the vector's source is fields and a model. At most four calls at a time; retries are the caller's. */
  readonly embed?: (texts: readonly string[]) => Promise<readonly (readonly number[])[]>;
  /** Called at most four times a second. */
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Aborting kills the process at once. */
  readonly signal?: AbortSignal;
}

/** How a file is read unless its importer says otherwise. */
export const DEFAULT_OPTIONS: IngestOptions = Object.freeze({
  onDuplicate: "error",
  delimiter: null,
  quote: '"',
  header: true,
  table: null,
  binaryAsText: false,
  chunkChars: 1_000,
  chunkOverlap: 100,
});

/**
 * Imports a file in a process of its own. Errors: INVALID_REQUEST with `details` { format, line or row, column, problem,
 * value, limit }, LIMIT_EXCEEDED (time, memory, no progress), EXECUTION_CANCELLED when aborted; what `embed` threw is
 * thrown on.
 */
export type Ingest = (request: IngestRequest) => Promise<IngestReport>;
