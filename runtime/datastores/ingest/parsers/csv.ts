import Papa from "papaparse";
import type { Batch, Batches, Source } from "../batch.ts";
import { toColumnNames } from "../columns.ts";
import { badInput, type Place } from "../problem.ts";
import { countMarks, readText } from "../text-reader.ts";

/** How the cells of a file are written. */
interface Dialect {
  readonly delimiter: string;
  readonly newline: "\n" | "\r";
  readonly quote: string;
}

interface Parsed {
  readonly rows: string[][];
  /** Characters that complete rows take. */
  readonly end: number;
}

const DELIMITERS = [",", ";", "\t", "|"];
const SAMPLE_CHARS = 64 * 1024;

function findDialect(text: string, { format, options }: Source): Dialect {
  const sample = text.slice(0, SAMPLE_CHARS);
  const newline = sample.includes("\r") && !sample.includes("\n") ? "\r" : "\n";
  if (format === "tsv") return { delimiter: options.delimiter ?? "\t", newline, quote: options.quote };
  if (options.delimiter !== null) return { delimiter: options.delimiter, newline, quote: options.quote };
  // The first line alone: later ones may have decimal commas.
  const first = sample.trimStart().split(newline, 1).join("");
  const { meta } = Papa.parse(first, { newline, delimitersToGuess: DELIMITERS });
  return { delimiter: DELIMITERS.includes(meta.delimiter) ? meta.delimiter : ",", newline, quote: options.quote };
}

/** Carriage returns before line feeds belong to the line's end. */
function dropCarriageReturns(rows: string[][]): void {
  for (const row of rows) {
    const last = row[row.length - 1];
    if (last?.endsWith("\r")) row[row.length - 1] = last.slice(0, -1);
  }
}

/** Reads the rows of texts. `line`: number of the text's first line. `last`: what is behind the last line end is a row, too. */
class RowReader {
  readonly #source: Source;
  readonly #dialect: Dialect;

  constructor(source: Source, dialect: Dialect) {
    this.#source = source;
    this.#dialect = dialect;
  }

  read(text: string, last: boolean, line: number): Parsed {
    const { delimiter, newline, quote } = this.#dialect;
    const config = { delimiter, newline, quoteChar: quote, ...(quote === "" ? { fastMode: true } : {}) };
    const { data, errors, meta }: Papa.ParseResult<string[]> = new Papa.Parser(config).parse(text, 0, !last);
    // Errors of a row that is not complete may come from the cut.
    const error = errors.find(({ row }) => last || (row ?? 0) < data.length);
    if (error !== undefined) throw this.#badQuotes(text, line, error);
    if (newline === "\n" && text.includes("\r")) dropCarriageReturns(data);
    return { rows: data, end: last ? text.length : meta.cursor };
  }

  #badQuotes(text: string, line: number, { code, index = 0 }: Papa.ParseError): Error {
    const at = Math.max(0, index - 1);
    const { newline } = this.#dialect;
    const place: Place = {
      format: this.#source.format,
      line: line + countMarks(text, newline, at),
      column: at - (at === 0 ? -1 : text.lastIndexOf(newline, at - 1)),
    };
    const problem =
      code === "MissingQuotes"
        ? "the quoted cell that begins here is never closed"
        : "expected the delimiter or the end of the line behind a closing quote; a quote within a quoted cell is doubled";
    return badInput(place, { problem, value: text.slice(at, at + 200) });
  }

  /** Lines that a row takes. */
  lines(row: readonly string[]): number {
    return row.reduce((lines, cell) => lines + countMarks(cell, this.#dialect.newline), 1);
  }
}

const isBlank = (row: readonly string[]) => row.length === 1 && row[0] === "";

interface Block {
  readonly text: string;
  readonly last: boolean;
  /** Number of the line that the text begins with. */
  readonly line: number;
  /** Rows before the records: the header, and blank ones before it. */
  readonly skip: number;
}

/** The line of the record `index` of a block, by reading the block again: records in memory may have been changed. */
function locate(reader: RowReader, block: Block, index: number): number {
  let line = block.line;
  let record = -1;
  for (const [at, row] of reader.read(block.text, block.last, block.line).rows.entries()) {
    if (at >= block.skip && !isBlank(row)) record++;
    if (record === index) return line;
    line += reader.lines(row);
  }
  return line;
}

function checkWidths(rows: readonly string[][], columns: readonly string[], place: (index: number) => Place): void {
  const wrong = rows.findIndex((row) => row.length !== columns.length);
  if (wrong === -1) return;
  const row = rows[wrong] ?? [];
  const delimiter = row.length > columns.length ? row.slice(columns.length).join(",") : row.at(-1);
  const expected = columns.length === 1 ? "1 cell" : `${columns.length} cells`;
  const problem = `expected ${expected}, as the first line has, found ${row.length}`;
  throw badInput(place(wrong), { problem, value: delimiter });
}

function checkLength(source: Source, rest: string, line: number): void {
  const { maxRecordBytes } = source.limits;
  if (rest.length <= maxRecordBytes) return;
  throw badInput(
    { format: source.format, line },
    {
      problem: "the record that begins here is too long; is a quote not closed?",
      value: rest.slice(0, 200),
      limit: { name: "maxRecordBytes", value: maxRecordBytes },
    },
  );
}

const numbered = (count: number) => Array.from({ length: count }, (_, at) => `column_${at + 1}`);

function nameColumns(source: Source, first: readonly string[], line: number, warnings: string[]): readonly string[] {
  const place = { format: source.format, line };
  const names = toColumnNames(source.options.header ? first : numbered(first.length), place, source.limits);
  for (const [at, name] of first.entries()) {
    if (source.options.header && name.trim() === "")
      warnings.push(`Column ${at + 1} has no name in the first line; it is called ${JSON.stringify(names[at])}.`);
  }
  return names;
}

/** The names of the columns, once there is a row, and how many rows of the block they take. */
interface Header {
  readonly columns: readonly string[];
  readonly skip: number;
}

function readHeader(source: Source, { rows }: Parsed, line: number, warnings: string[]): Header | null {
  const at = rows.findIndex((row) => !isBlank(row));
  if (at === -1) return null;
  const columns = nameColumns(source, rows[at] ?? [], line + at, warnings);
  return { columns, skip: source.options.header ? at + 1 : at };
}

async function* readRecords(source: Source, warnings: string[]): AsyncGenerator<Batch> {
  const { format } = source;
  let rest = "";
  let line = 1;
  let dialect: Dialect | null = null;
  let header: Header | null = null;
  for (const { text: more, bytes, last } of readText(source)) {
    const text = rest + more;
    dialect ??= findDialect(text, source);
    const reader = new RowReader(source, dialect);
    const parsed = reader.read(text, last, line);
    const found: Header | null = header ?? readHeader(source, parsed, line, warnings);
    if (found !== null) {
      const block = { text: text.slice(0, parsed.end), last, line, skip: header === null ? found.skip : 0 };
      const rows = parsed.rows.filter((row, at) => at >= block.skip && !isBlank(row));
      const place = (index: number) => ({ format, line: locate(reader, block, index) });
      checkWidths(rows, found.columns, place);
      if (rows.length > 0) yield { columns: found.columns, rows, bytes, locate: place };
    }
    header = found;
    line += countMarks(text, dialect.newline, parsed.end);
    rest = text.slice(parsed.end);
    checkLength(source, rest, line);
  }
  if (header === null) throw badInput({ format, line: 1 }, { problem: "expected a first line, the file is empty" });
}

/** CSV and TSV (RFC 4180, any line ends). Blank lines are left out, an empty cell is null. */
export function parseCsv(source: Source): Batches {
  const warnings: string[] = [];
  return { lexical: true, warnings, [Symbol.asyncIterator]: () => readRecords(source, warnings) };
}
