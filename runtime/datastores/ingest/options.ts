import { fail, type WorkflowError } from "../../errors.ts";
import { FORMATS, type Format, type IngestOptions, type OnDuplicate } from "./types.ts";

const EXTENSIONS: Readonly<Record<string, Format>> = {
  csv: "csv",
  tsv: "tsv",
  tab: "tsv",
  json: "json",
  jsonl: "jsonl",
  ndjson: "jsonl",
  parquet: "parquet",
  sqlite: "sqlite",
  sqlite3: "sqlite",
  db: "sqlite",
  txt: "text",
  text: "text",
  md: "markdown",
  markdown: "markdown",
};

/** The format that a file's name says; null: none. */
export function formatOfName(name: string): Format | null {
  const extension = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(EXTENSIONS, extension) ? (EXTENSIONS[extension] ?? null) : null;
}

/** Checks a format that a user wrote; throws INVALID_REQUEST with the known ones. */
export function parseFormat(value: unknown): Format {
  const format = FORMATS.find((known) => known === value);
  if (format !== undefined) return format;
  throw refuse("format", `must be one of ${FORMATS.join(", ")}`, value);
}

/** Characters that a chunk may have. */
const MIN_CHUNK_CHARS = 50;
const MAX_CHUNK_CHARS = 100_000;
const DUPLICATES: readonly OnDuplicate[] = ["error", "last", "first"];
const MAX_NAME_CHARS = 1_000;

function refuse(option: string, problem: string, value: unknown): WorkflowError {
  const shown = (JSON.stringify(value) ?? String(value)).slice(0, 80);
  return fail("INVALID_REQUEST", { message: `${option} ${problem}, got ${shown}`, field: option });
}

function toFlag(option: string, value: unknown): boolean {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw refuse(option, "must be true or false", value);
}

function toCount(option: string, value: unknown, [least, most]: readonly [number, number]): number {
  const count = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof count === "number" && Number.isInteger(count) && count >= least && count <= most) return count;
  throw refuse(option, `must be a whole number from ${least} to ${most}`, value);
}

/** One character that neither ends a line nor is taken for something else. */
function toDelimiter(option: string, value: unknown): string {
  if (value === "\\t") return "\t";
  if (typeof value === "string" && value.length === 1 && !/["\r\n\ufeff\0]/.test(value)) return value;
  throw refuse(option, "must be one character and no quote or line end", value);
}

function toQuote(option: string, value: unknown): string {
  if (value === "" || (typeof value === "string" && value.length === 1 && !/[\r\n\ufeff\0]/.test(value))) return value;
  throw refuse(option, "must be one character, or empty for none", value);
}

function toTable(option: string, value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= MAX_NAME_CHARS) return value;
  throw refuse(option, "must be the name of a table", value);
}

function toOnDuplicate(option: string, value: unknown): OnDuplicate {
  const found = DUPLICATES.find((known) => known === value);
  if (found !== undefined) return found;
  throw refuse(option, `must be one of ${DUPLICATES.join(", ")}`, value);
}

type Reader = (option: string, value: unknown) => Partial<IngestOptions>;

const READERS: Readonly<Record<string, Reader>> = {
  on_duplicate: (option, value) => ({ onDuplicate: toOnDuplicate(option, value) }),
  delimiter: (option, value) => ({ delimiter: toDelimiter(option, value) }),
  quote: (option, value) => ({ quote: toQuote(option, value) }),
  header: (option, value) => ({ header: toFlag(option, value) }),
  table: (option, value) => ({ table: toTable(option, value) }),
  binary_as_text: (option, value) => ({ binaryAsText: toFlag(option, value) }),
  chunk_chars: (option, value) => ({ chunkChars: toCount(option, value, [MIN_CHUNK_CHARS, MAX_CHUNK_CHARS]) }),
  chunk_overlap: (option, value) => ({ chunkOverlap: toCount(option, value, [0, MAX_CHUNK_CHARS]) }),
};

/** Names of the options as users write them. */
export const OPTION_NAMES: readonly string[] = Object.keys(READERS);

/**
 * Checks the options of an import as users write them: {@link OPTION_NAMES}, values as JSON or as the text of a query.
 * Throws INVALID_REQUEST that names the option and what it takes.
 */
export function parseIngestOptions(value: Readonly<Record<string, unknown>>): Partial<IngestOptions> {
  let options: Partial<IngestOptions> = {};
  for (const [option, given] of Object.entries(value)) {
    const reader = Object.hasOwn(READERS, option) ? READERS[option] : undefined;
    if (reader === undefined)
      throw refuse(option, `is no option of an import; there are ${OPTION_NAMES.join(", ")}`, given);
    options = { ...options, ...reader(option, given) };
  }
  const { chunkChars = 1_000, chunkOverlap = 0 } = options;
  if (chunkOverlap > chunkChars / 2) throw refuse("chunk_overlap", "must be at most half of chunk_chars", chunkOverlap);
  return options;
}
