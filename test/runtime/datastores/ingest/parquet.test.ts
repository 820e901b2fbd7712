import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { parquetMetadata } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { dataOf, importText, refusal, vectorsOf } from "./fixture.ts";

type Options = Parameters<typeof parquetWriteBuffer>[0];

const bytesOf = (columnData: Options["columnData"], more: Partial<Options> = {}) =>
  new Uint8Array(parquetWriteBuffer({ columnData, ...more }));

const refused = async (bytes: Uint8Array, wishes = {}) => {
  const { code, message, details } = await refusal(importText("parquet", bytes, wishes));
  expect(code).toBe("INVALID_REQUEST");
  return { message, details };
};

const ids = (count: number) => Array.from({ length: count }, (_, at) => `r${at + 1}`);

describe("values", () => {
  test("keep their types; times become ISO texts, bytes base64", async () => {
    const bytes = bytesOf([
      { name: "id", data: ["a", "b"], type: "STRING" },
      { name: "i", data: [1, -2], type: "INT32" },
      { name: "l", data: [5n, null], type: "INT64" },
      { name: "d", data: [1.5, 2], type: "DOUBLE" },
      { name: "ok", data: [true, false], type: "BOOLEAN" },
      { name: "at", data: [new Date(0), new Date(1_700_000_000_123)], type: "TIMESTAMP" },
      { name: "j", data: [{ k: [1] }, null], type: "JSON" },
      { name: "raw", data: [Uint8Array.of(1, 2), Uint8Array.of(255)], type: "BYTE_ARRAY" },
    ]);
    const { types, records } = await importText("parquet", bytes);
    expect(types).toEqual({
      id: "text",
      i: "integer",
      l: "integer",
      d: "real",
      ok: "boolean",
      at: "text",
      j: "json",
      raw: "text",
    });
    expect(records.map(({ data }) => data)).toEqual([
      { id: "a", i: 1, l: 5, d: 1.5, ok: true, at: "1970-01-01T00:00:00.000Z", j: { k: [1] }, raw: "AQI=" },
      { id: "b", i: -2, l: null, d: 2, ok: false, at: "2023-11-14T22:13:20.123Z", j: null, raw: "/w==" },
    ]);
  });

  test("of microseconds, days and nested lists are exact", async () => {
    const bytes = bytesOf(
      [
        { name: "id", data: ["a"] },
        { name: "micros", data: [1_700_000_000_123_456n] },
        { name: "day", data: [19_723] },
      ],
      {
        schema: [
          { name: "root", num_children: 3 },
          { name: "id", type: "BYTE_ARRAY", converted_type: "UTF8" },
          { name: "micros", type: "INT64", converted_type: "TIMESTAMP_MICROS" },
          { name: "day", type: "INT32", converted_type: "DATE" },
        ],
      },
    );
    expect(await dataOf("parquet", bytes)).toEqual([
      { id: "a", micros: "2023-11-14T22:13:20.123456Z", day: "2024-01-01" },
    ]);
  });

  test("beyond what a number holds are kept as text", async () => {
    const { records, report } = await importText(
      "parquet",
      bytesOf([{ name: "n", data: [2n ** 60n, 1n], type: "INT64" }]),
    );
    expect(records.map(({ data }) => data)).toEqual([{ n: "1152921504606846976" }, { n: "1" }]);
    expect(report.warnings.join(" ")).toContain('"n"');
  });

  test("that are bytes without an encoding are text where that is asked for", async () => {
    const bytes = bytesOf([{ name: "raw", data: [Uint8Array.from(Buffer.from("é"))], type: "BYTE_ARRAY" }]);
    expect(await dataOf("parquet", bytes)).toEqual([{ raw: "w6k=" }]);
    expect(await dataOf("parquet", bytes, { options: { binaryAsText: true } })).toEqual([{ raw: "é" }]);
  });

  test("that are lists are JSON, or vectors where the schema says so", async () => {
    const list = (data: unknown[]) =>
      bytesOf(
        [
          { name: "id", data: ids(data.length) },
          { name: "v", data },
        ],
        {
          rowGroupSize: 3,
          schema: [
            { name: "root", num_children: 2 },
            { name: "id", type: "BYTE_ARRAY", converted_type: "UTF8" },
            { name: "v", converted_type: "LIST", repetition_type: "OPTIONAL", num_children: 1 },
            { name: "list", repetition_type: "REPEATED", num_children: 1 },
            { name: "element", type: "DOUBLE", repetition_type: "OPTIONAL" },
          ],
        },
      );
    const lists = [[1, 2], [3, 4.5], null, [], [5, 6]];
    expect((await dataOf("parquet", list(lists))).map(({ v }) => v)).toEqual(lists);
    const schema = { vector: { field: "v", dimensions: 2, metric: "cosine", source: "data" } as const };
    const { file } = await importText("parquet", list([[1, 2], null, [3, 4]]), { schema });
    expect(vectorsOf(file)).toEqual([
      [1, [1, 2]],
      [3, [3, 4]],
    ]);
    expect((await refused(list([[1, 2], [1, 2], [1, 2], [3]]), { schema })).message).toContain(
      'row 4, column "v": expected 2 dimensions, found 1',
    );
  });

  test("that are no numbers are refused by row", async () => {
    const { message } = await refused(bytesOf([{ name: "d", data: [1.5, Number.NaN], type: "DOUBLE" }]));
    expect(message).toBe('parquet, row 2, column "d": expected a finite number, got NaN.');
  });

  test("that are lists are vectors where the schema says so, and refused by row when they are too short", async () => {
    const list = (data: number[][]) =>
      bytesOf([
        { name: "id", data: ids(data.length) },
        { name: "v", data: data.map((vector) => JSON.stringify(vector)) },
      ]);
    const schema = { vector: { field: "v", dimensions: 2, metric: "cosine", source: "data" } as const };
    const { records, types } = await importText("parquet", list([[1, 2]]), { schema });
    expect(records).toEqual([{ id: "r1", data: { id: "r1" } }]);
    expect(types).toEqual({ id: "text" });
    expect((await refused(list([[1, 2], [1]]), { schema })).message).toBe(
      'parquet, row 2, column "v": expected 2 dimensions, found 1, got "[1]".',
    );
  });
});

describe("row groups", () => {
  test.each([
    ["GZIP", (bytes: Uint8Array) => gzipSync(bytes)],
    ["BROTLI", (bytes: Uint8Array) => brotliCompressSync(bytes)],
    ["ZSTD", (bytes: Uint8Array) => zstdCompressSync(bytes)],
    ["UNCOMPRESSED", (bytes: Uint8Array) => bytes],
  ] as const)("compressed with %s are read in order", async (codec, compress) => {
    const data = Array.from({ length: 2_500 }, (_, at) => at);
    const bytes = bytesOf([{ name: "n", data }], { codec, compressors: { [codec]: compress }, rowGroupSize: 1_000 });
    const { report, records } = await importText("parquet", bytes);
    expect(report.rows).toBe(2_500);
    expect(records.map((record) => record.data["n"])).toEqual(data);
  });

  test("of a codec that cannot be read are refused by its name", async () => {
    const bytes = bytesOf([{ name: "n", data: [1, 2] }], { codec: "LZ4", compressors: { LZ4: (input) => input } });
    expect((await refused(bytes)).message).toContain("compressed with LZ4");
  });

  test("that are larger than the limit are refused before they are read", async () => {
    const bytes = bytesOf([{ name: "t", data: ids(5_000) }], { rowGroupSize: 5_000 });
    const { details, message } = await refused(bytes, { limits: { maxRowGroupBytes: 10_000 } });
    expect(details).toMatchObject({ row: 1, limit: "maxRowGroupBytes", limitValue: 10_000 });
    expect(message).toContain("smaller row groups");
  });

  test("whose pages decompress to more than they say are refused", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const bytes = bytesOf([{ name: "n", data: [1, 2, 3], encoding: "PLAIN" }], {
      codec: "GZIP",
      compressors: { GZIP: () => new Uint8Array(bomb) },
    });
    expect((await refused(bytes)).message).toContain('column "n" cannot be read');
  });

  test("of wide and many rows are read in parts", async () => {
    const data = ids(60_000);
    const columns = ["id", "b", "c", "d", "e", "f", "g", "h"].map((name) => ({ name, data }));
    const { report } = await importText("parquet", bytesOf(columns, { rowGroupSize: 60_000 }));
    expect(report.rows).toBe(60_000);
  });
});

describe("damaged files", () => {
  const sound = bytesOf([
    { name: "id", data: ids(500), type: "STRING" },
    { name: "n", data: ids(500).map((_, at) => at), type: "INT32" },
  ]);

  test.each([
    ["an empty one", new Uint8Array()],
    ["a short one", Uint8Array.from(Buffer.from("PAR1PAR1"))],
    ["text", Uint8Array.from(Buffer.from("id,n\n1,2\n and more text than a footer has"))],
    ["one that is cut off", sound.subarray(0, sound.length - 100)],
    ["one without its beginning", sound.subarray(300)],
    [
      "one whose footer is longer than the file",
      Uint8Array.from([...sound.subarray(0, -8), 0xff, 0xff, 0xff, 0x7f, 80, 65, 82, 49]),
    ],
  ])("%s is refused", async (_name, bytes) => {
    expect((await refused(bytes)).details).toMatchObject({ format: "parquet" });
  });

  test("with any byte of the footer wrong are read or refused, never worse", async () => {
    const footer = new DataView(sound.buffer, sound.byteOffset).getUint32(sound.length - 8, true);
    const start = sound.length - 8 - footer;
    for (let at = start; at < sound.length - 8; at += 23) {
      const bytes = Uint8Array.from(sound);
      bytes[at] = (bytes[at] ?? 0) ^ 0x55;
      const outcome = await importText("parquet", bytes, { limits: { maxRowGroupBytes: 1_000_000 } }).catch(
        (error: unknown) => error,
      );
      if (outcome instanceof Error) expect(outcome, `byte ${at}`).toMatchObject({ code: "INVALID_REQUEST" });
    }
  });

  test("whose pages say what cannot be are refused", async () => {
    const { columns } = parquetMetadata(sound.slice().buffer).row_groups[0] ?? { columns: [] };
    const page = Number(columns[1]?.meta_data?.dictionary_page_offset ?? columns[1]?.meta_data?.data_page_offset);
    // Fields 2 and 3 of the header are its sizes; a field is its type and its value.
    for (const field of [2, 3, 4, 5]) {
      const bytes = Uint8Array.from(sound);
      bytes[page + field] = 0x01;
      const outcome = await importText("parquet", bytes).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome, `byte ${field}`).toMatchObject({ code: "INVALID_REQUEST" });
    }
    const negative = Uint8Array.from(sound);
    negative[page + 5] = 0x03;
    expect((await refused(negative)).message).toContain('column "n" cannot be read');
  });

  test("with an id twice are refused by both rows", async () => {
    const bytes = bytesOf([{ name: "id", data: ["a", "b", "a"] }]);
    expect((await refused(bytes)).message).toBe(
      'parquet, row 3, column "id": expected an id of its own, row 1 has the same, got "a".',
    );
  });
});
