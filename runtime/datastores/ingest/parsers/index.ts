import type { Batches, Source } from "../batch.ts";
import type { Format } from "../types.ts";
import { parseCsv } from "./csv.ts";
import { parseJson } from "./json/array.ts";
import { parseJsonl } from "./json/lines.ts";
import { parseMarkdown } from "./markdown.ts";
import { parseParquet } from "./parquet/file.ts";
import { parseSqlite } from "./sqlite.ts";
import { parseText } from "./text.ts";

/** Reads a file of one format; may be read several times. Errors are those of `badInput`. */
export const PARSERS: Readonly<Record<Format, (source: Source) => Batches>> = {
  csv: parseCsv,
  tsv: parseCsv,
  json: parseJson,
  jsonl: parseJsonl,
  parquet: parseParquet,
  sqlite: parseSqlite,
  text: parseText,
  markdown: parseMarkdown,
};
