import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  type ParquetParsers,
  type ParquetScan,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
  type RowGroup,
  snappyUncompress,
} from "hyparquet";
import type { Batch, Batches, Source } from "../../batch.ts";
import { toColumnNames } from "../../columns.ts";
import { isoDate, isoTime } from "../../iso-time.ts";
import { badInput, type Complaint } from "../../problem.ts";
import { checkPages } from "./pages.ts";

/** Footer of a file, at most. */
const MAX_METADATA_BYTES = 64 * 1024 * 1024;
/** A part of a row group that is held as records; whatever is reached first. */
const SLICE_CELLS = 200_000;
const SLICE_BYTES = 16 * 1024 * 1024;

const strict = new TextDecoder("utf-8", { fatal: true });

const PARSERS: ParquetParsers = {
  timestampFromMilliseconds: (value) => isoTime(BigInt(value), 3),
  timestampFromMicroseconds: (value) => isoTime(BigInt(value), 6),
  timestampFromNanoseconds: (value) => isoTime(BigInt(value), 9),
  dateFromDays: isoDate,
  stringFromBytes: (bytes) => strict.decode(bytes),
  jsonFromBytes: (bytes) => JSON.parse(strict.decode(bytes)) as unknown,
  geometryFromBytes: (bytes) => bytes,
  geographyFromBytes: (bytes) => bytes,
  uuidFromBytes: (bytes) =>
    Buffer.from(bytes)
      .toString("hex")
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
};

/** A Parquet file, opened. */
interface File {
  readonly source: Source;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  refuse(complaint: Complaint, row?: number): Error;
}

/** Reads parts of a file, none larger than a row group may be. */
function openBuffer(handle: number, { format, limits }: Source): AsyncBuffer {
  const byteLength = fstatSync(handle).size;
  return {
    byteLength,
    slice(start, end = byteLength) {
      const length = end - start;
      if (!(start >= 0 && length >= 0 && end <= byteLength)) {
        throw badInput({ format }, { problem: `the file points at bytes ${start} to ${end}, it has ${byteLength}` });
      }
      if (length > Math.max(limits.maxRowGroupBytes, MAX_METADATA_BYTES)) {
        const limit = { name: "maxRowGroupBytes", value: limits.maxRowGroupBytes };
        throw badInput({ format }, { problem: `a column of a row group has ${length} bytes`, limit });
      }
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const got = readSync(handle, bytes, at, length - at, start + at);
        if (got === 0) throw badInput({ format }, { problem: "the file ends too early" });
        at += got;
      }
      return bytes.buffer;
    },
  };
}

/** Decompressors that never make more than a page says it has, nor than a row group may have. */
function boundedCompressors({ format, limits }: Source): Compressors {
  const { maxRowGroupBytes } = limits;
  const bounded =
    (decompress: (input: Uint8Array, length: number) => Uint8Array) => (input: Uint8Array, length: number) => {
      if (length >= 0 && length <= maxRowGroupBytes) return decompress(input, length);
      const limit = { name: "maxRowGroupBytes", value: maxRowGroupBytes };
      throw badInput({ format }, { problem: `a page says that it has ${length} bytes`, limit });
    };
  const most = (length: number) => ({ maxOutputLength: Math.max(1, length) });
  const missing = (name: string) => () => {
    const problem = `the file is compressed with ${name}, which cannot be read; snappy, gzip, brotli and zstd can`;
    throw badInput({ format }, { problem });
  };
  return {
    SNAPPY: bounded((input, length) => {
      const output = new Uint8Array(length);
      snappyUncompress(input, output);
      return output;
    }),
    GZIP: bounded((input, length) => gunzipSync(input, most(length))),
    BROTLI: bounded((input, length) => brotliDecompressSync(input, most(length))),
    ZSTD: bounded((input, length) => zstdDecompressSync(input, most(length))),
    LZ4: missing("LZ4"),
    LZ4_RAW: missing("LZ4"),
    LZO: missing("LZO"),
  };
}

/** What a library threw, as our error; `row` is about where. */
function toError(thrown: unknown, { format }: Source, row?: number): unknown {
  if (thrown instanceof Error && "blame" in thrown) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const place = row === undefined ? { format } : { format, row };
  return badInput(place, { problem: `expected a Parquet file that can be read: ${reason}` });
}

async function readMetadata(buffer: AsyncBuffer, { format }: Source): Promise<FileMetaData> {
  const { byteLength } = buffer;
  const tail = new DataView(byteLength < 12 ? new ArrayBuffer(8) : await buffer.slice(byteLength - 8));
  if (tail.getUint32(4, true) !== 0x31524150) {
    throw badInput({ format }, { problem: "expected a Parquet file, it does not end with PAR1" });
  }
  const length = tail.getUint32(0, true);
  if (length > Math.min(byteLength - 12, MAX_METADATA_BYTES)) {
    throw badInput({ format }, { problem: `the footer says that it has ${length} bytes, the file has ${byteLength}` });
  }
  return parquetMetadataAsync(buffer, { geoparquet: false });
}

/** Sum of what the columns of a row group say they have when decompressed. */
function declaredBytes({ columns }: RowGroup): number {
  return columns.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size ?? 0), 0);
}

function checkGroups(file: File): void {
  const { metadata, source, refuse } = file;
  let rows = 0;
  for (const group of metadata.row_groups) {
    const { num_rows } = group;
    if (num_rows < 0n || num_rows > 2n ** 31n)
      throw refuse({ problem: `a row group says that it has ${num_rows} rows` });
    const bytes = declaredBytes(group);
    const limit = { name: "maxRowGroupBytes", value: source.limits.maxRowGroupBytes };
    if (!(bytes >= 0 && bytes <= limit.value)) {
      const problem = `the row group has ${bytes} decompressed bytes; write the file with smaller row groups`;
      throw refuse({ problem, limit }, rows + 1);
    }
    rows += Number(num_rows);
  }
  if (BigInt(rows) !== metadata.num_rows) {
    throw refuse({ problem: `the file says that it has ${metadata.num_rows} rows, its row groups have ${rows}` });
  }
}

type Column = ArrayLike<unknown>;

/** Reads one column, in parts where its rows can be found without the ones before. */
class ColumnReader {
  readonly #scan: ParquetScan;
  readonly #file: File;
  readonly #whole: boolean;
  readonly #name: string;
  #held: { readonly rowStart: number; readonly rowEnd: number; readonly data: Column } | null = null;

  constructor(scan: ParquetScan, file: File, { name, nested }: { readonly name: string; readonly nested: boolean }) {
    this.#scan = scan;
    this.#file = file;
    this.#name = name;
    this.#whole = nested;
  }

  /** Values of the rows `from` to `to` of a range that is read in order. */
  async read(range: { readonly rowStart: number; readonly rowEnd: number }, from: number, to: number): Promise<Column> {
    const part = this.#whole ? range : { rowStart: from, rowEnd: to };
    if (this.#held?.rowStart !== part.rowStart || this.#held.rowEnd !== part.rowEnd) {
      this.#held = { ...part, data: await this.#load(part) };
    }
    const { data, rowStart } = this.#held;
    return from === rowStart && to === part.rowEnd
      ? data
      : Array.prototype.slice.call(data, from - rowStart, to - rowStart);
  }

  /** Must be asked for before the first rows of a row group are read. */
  async check(group: RowGroup, firstRow: number): Promise<void> {
    const { buffer, source, refuse } = this.#file;
    const { maxRowGroupBytes: maxBytes } = source.limits;
    const chunks = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === this.#name);
    try {
      for (const { meta_data } of chunks) {
        if (meta_data === undefined) continue;
        await checkPages(buffer, meta_data, { rows: Number(group.num_rows), flat: !this.#whole, maxBytes });
      }
    } catch (thrown) {
      if (thrown instanceof Error && "blame" in thrown) throw thrown;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw refuse({ problem: `column ${JSON.stringify(this.#name)} cannot be read: ${reason}` }, firstRow);
    }
  }

  async #load({ rowStart, rowEnd }: { readonly rowStart: number; readonly rowEnd: number }): Promise<Column> {
    const { refuse } = this.#file;
    const column = JSON.stringify(this.#name);
    let data: Column;
    try {
      data = await this.#scan.readColumn({ column: this.#name, rowStart, rowEnd });
    } catch (thrown) {
      if (thrown instanceof Error && "blame" in thrown) throw thrown;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw refuse({ problem: `column ${column} cannot be read: ${reason}` }, rowStart + 1);
    }
    if (data.length === rowEnd - rowStart) return data;
    const problem = `column ${column} has ${data.length} values for ${rowEnd - rowStart} rows`;
    throw refuse({ problem }, rowStart + 1);
  }
}

/** Rows that are made into records at a time. */
function sliceRows(group: RowGroup, columns: number): number {
  const rowBytes = Math.max(1, declaredBytes(group) / Number(group.num_rows));
  return Math.max(1, Math.min(Math.ceil(SLICE_CELLS / columns), Math.ceil(SLICE_BYTES / rowBytes)));
}

async function* readBatches(file: File): AsyncGenerator<Batch> {
  const { source, metadata, buffer, refuse } = file;
  const { format, limits, options } = source;
  checkGroups(file);
  const fields = parquetSchema(metadata).children;
  const columns = toColumnNames(
    fields.map(({ element }) => element.name),
    { format },
    limits,
  );
  if (columns.length === 0) throw refuse({ problem: "expected a column, the file has none" });
  const compressors = boundedCompressors(source);
  const scan = await parquetScan({
    file: buffer,
    metadata,
    compressors,
    parsers: PARSERS,
    utf8: options.binaryAsText,
    useOffsetIndex: false,
  });
  const readers = fields.map(({ element, children }) => {
    return new ColumnReader(scan, file, {
      name: element.name,
      nested: children.length > 0 || element.repetition_type === "REPEATED",
    });
  });
  const total = Math.max(1, Number(metadata.num_rows));
  const groups = metadata.row_groups.filter(({ num_rows }) => num_rows > 0n);
  for (const [at, range] of scan.ranges.entries()) {
    const group = groups[at];
    if (group === undefined) throw refuse({ problem: "a row group is missing" });
    for (const reader of readers) await reader.check(group, range.rowStart + 1);
    const step = sliceRows(group, columns.length);
    for (let from = range.rowStart; from < range.rowEnd; from += step) {
      const to = Math.min(range.rowEnd, from + step);
      const parts: Column[] = [];
      for (const reader of readers) parts.push(await reader.read(range, from, to));
      const rows = Array.from({ length: to - from }, (_, row) => parts.map((part) => part[row]));
      const bytes = Math.floor((to / total) * buffer.byteLength);
      yield { columns, rows, bytes, locate: (index) => ({ format, row: from + index + 1 }) };
    }
  }
}

async function* readFile(source: Source): AsyncGenerator<Batch> {
  const { format } = source;
  const handle = openSync(source.path, "r");
  try {
    const buffer = openBuffer(handle, source);
    const refuse = (complaint: Complaint, row?: number) => {
      return badInput(row === undefined ? { format } : { format, row }, complaint);
    };
    yield* readBatches({ source, buffer, metadata: await readMetadata(buffer, source), refuse });
  } catch (thrown) {
    throw toError(thrown, source);
  } finally {
    closeSync(handle);
  }
}

/** Parquet: row group by row group; times become ISO texts, bytes base64. */
export function parseParquet(source: Source): Batches {
  return { lexical: false, warnings: [], [Symbol.asyncIterator]: () => readFile(source) };
}
