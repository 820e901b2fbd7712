import type { AsyncBuffer, ColumnMetaData, PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";

/** Bytes in which the header of a page is looked for: most fit the first, statistics of long values the second. */
const HEADER_BYTES = [4 * 1024, 4 * 1024 * 1024] as const;
/** Of one value as it is held. */
const VALUE_BYTES = 8;

/** What the pages of one column of a row group may be. */
export interface PageBounds {
  /** Rows of the row group. */
  readonly rows: number;
  /** The column has one value a row. */
  readonly flat: boolean;
  readonly maxBytes: number;
}

/** Throws an Error that says what is wrong. */
function insist(sound: boolean, what: string): void {
  if (!sound) throw new Error(what);
}

const isCount = (value: unknown, most: number): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most;

async function readHeader(
  buffer: AsyncBuffer,
  from: number,
  to: number,
): Promise<{ readonly header: PageHeader; readonly bytes: number }> {
  const [usual, most] = HEADER_BYTES;
  for (const size of [usual, most]) {
    const end = Math.min(to, from + size);
    const reader = { view: new DataView(await buffer.slice(from, end)), offset: 0 };
    try {
      return { header: parquetHeader(reader), bytes: reader.offset };
    } catch (error) {
      if (size === most || end === to) throw error;
    }
  }
  throw new Error("the header of a page is too long");
}

/** Values that a page says it has; a dictionary has none of its own. */
function valuesOf(
  { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary }: PageHeader,
  most: number,
) {
  if (dictionary !== undefined) {
    insist(isCount(dictionary.num_values, most), `a dictionary says that it has ${dictionary.num_values} values`);
    return 0;
  }
  const values = v1?.num_values ?? v2?.num_values ?? 0;
  insist(isCount(values, most), `a page says that it has ${values} values`);
  return values;
}

/**
 * Reads the headers of a column's pages alone and checks that their sizes and counts fit each other, the row group and the
 * limit: what is read afterwards ends, and makes no more than it may.
 */
export async function checkPages(buffer: AsyncBuffer, column: ColumnMetaData, bounds: PageBounds): Promise<void> {
  const { rows, flat, maxBytes } = bounds;
  const [total, data, dictionary] = [
    column.total_compressed_size,
    column.data_page_offset,
    column.dictionary_page_offset,
  ];
  const values = Number(column.num_values);
  const most = Math.floor(maxBytes / VALUE_BYTES);
  insist(isCount(values, most), `it has ${values} values; write the file with smaller row groups`);
  insist(!flat || values === rows, `it has ${values} values for ${rows} rows`);
  const start = Number(dictionary && dictionary < data ? dictionary : data);
  const end = start + Number(total);
  let seen = 0;
  let bytes = 0;
  for (let at = start; at < end && seen < values; ) {
    const { header, bytes: length } = await readHeader(buffer, at, end);
    const { compressed_page_size: size, uncompressed_page_size: full } = header;
    insist(isCount(size, end - at - length), `a page says that it has ${size} bytes`);
    insist(isCount(full, maxBytes), `a page says that it has ${full} decompressed bytes`);
    bytes += full;
    seen += valuesOf(header, most);
    insist(bytes <= maxBytes, `its pages say that they have over ${maxBytes} decompressed bytes (maxRowGroupBytes)`);
    at += length + size;
  }
  insist(seen === values, `its pages have ${seen} values, it says ${values}`);
}
