import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { RecordInput } from "../../../runtime/datastores/types.ts";
import { createWriter } from "../../../runtime/datastores/writer.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { dataOf, errorOf, newFile, readerOf, readFile, schemaOf } from "./fixture.ts";

const schema = schemaOf(
  { sku: "text", name: "text", price: "real", stock: "integer", sold: "boolean", tags: "json", __proto: "text" },
  { idField: "sku", textFields: ["name"], filters: ["price"], vector: { field: "emb", dimensions: 2 } },
);

/** The error of adding one record. */
async function refusalOf(record: RecordInput["data"], limits = DEFAULT_LIMITS): Promise<unknown> {
  const writer = createWriter({ file: await newFile(), schema, revision: 1, limits });
  try {
    return errorOf(() => writer.add([{ data: { sku: "first" } }, { data: record }]));
  } finally {
    writer.abort();
  }
}

describe("a finished file", () => {
  test("has its records with their types", async () => {
    const data = { sku: "a", name: "héé\0\u{1f600}", price: 1.5, stock: -7, sold: true, tags: { deep: [1, null] } };
    const reader = await readerOf(schema, [{ data }, { data: { sku: "b", sold: false, price: 2, emb: [1, 0] } }]);
    expect(dataOf(reader.get(1, ["a", "b", "c"]))).toEqual([
      { ...data, __proto: null },
      { sku: "b", name: null, price: 2, stock: null, sold: false, tags: null, __proto: null },
      null,
    ]);
  });

  test("keeps fields that are named like parts of objects or of SQL", async () => {
    const names = [
      "__proto__",
      "constructor",
      "rowid",
      "_row",
      'a"; DROP TABLE records; --',
      "select",
      "id",
      "ID",
      "c0",
    ];
    const odd = schemaOf(Object.fromEntries(names.map((name) => [name, "text"])));
    const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, `value of ${name}`])));
    const reader = await readerOf(odd, [{ data: JSON.parse(text) }]);
    expect(reader.get(1, ["1"])).toEqual([text]);
    expect(reader.count(1, JSON.parse('{"__proto__":"value of __proto__","ID":"value of ID"}'))).toBe(1);
  });

  test("has ids from beside the data, or the number of the record", async () => {
    const reader = await readerOf(schemaOf({ a: "integer" }), [{ data: { a: 1 } }, { id: "two", data: { a: 2 } }]);
    expect(dataOf(reader.get(1, ["1", "two"]))).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test("has whole numbers as ids where the schema says so", async () => {
    const reader = await readerOf(schemaOf({ n: "integer" }, { idField: "n" }), [{ data: { n: 7 } }]);
    expect(dataOf(reader.get(1, ["7", "07"]))).toEqual([{ n: 7 }, null]);
  });

  test("is nowhere to be seen before, and leaves nothing else behind", async () => {
    const file = await newFile();
    const writer = createWriter({ file, schema, revision: 1, limits: DEFAULT_LIMITS });
    writer.add([{ data: { sku: "a" } }]);
    expect(existsSync(file)).toBe(false);
    expect(writer.finish()).toMatchObject({ rows: 1, added: 1, deadRows: 0, bytes: expect.any(Number) });
    expect(await readdir(dirname(file))).toEqual(["1.db"]);
  });

  test("takes the place of what a crash left", async () => {
    const file = await newFile();
    const crashed = createWriter({ file, schema, revision: 1, limits: DEFAULT_LIMITS });
    crashed.add([{ data: { sku: "lost" } }]);
    const writer = createWriter({ file, schema, revision: 1, limits: DEFAULT_LIMITS });
    writer.add([{ data: { sku: "kept" } }]);
    writer.finish();
    expect(readFile(file).count(1)).toBe(1);
    crashed.abort();
  });

  test("is in WAL mode and whole", async () => {
    const file = await newFile();
    createWriter({ file, schema, revision: 1, limits: DEFAULT_LIMITS }).finish();
    const db = new DatabaseSync(file);
    expect(db.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    db.close();
  });
});

describe("refuses", () => {
  test.each([
    [{ sku: "a", colour: 1 }, "record 2: colour: is not a field of the schema"],
    [{ sku: "a", price: Number.NaN }, "record 2: price: must be a finite number, got NaN"],
    [{ sku: "a", price: Number.POSITIVE_INFINITY }, "record 2: price: must be a finite number, got Infinity"],
    [{ sku: "a", price: "1" }, 'record 2: price: must be a finite number, got "1"'],
    [{ sku: "a", stock: 1.5 }, "record 2: stock: must be a whole number, got 1.5"],
    [{ sku: "a", stock: 2 ** 53 }, /stock: 9007199254740992 is beyond ±9007199254740991; keep such numbers as text/],
    [{ sku: "a", stock: 2n ** 64n }, /stock: 18446744073709551616 is beyond/],
    [{ sku: "a", sold: 1 }, "record 2: sold: must be true or false, got 1"],
    [{ sku: "a", name: 5 }, "record 2: name: must be text, got 5"],
    [{ sku: "a", name: "x\ud800" }, /name: has half of a surrogate pair/],
    [{ name: "a" }, "record 2: sku: is missing: every record needs its id"],
    [{ sku: "" }, "record 2: sku: is empty: every record needs its id"],
    [{ sku: "x".repeat(1_025) }, "record 2: sku: 1025 bytes; the limit maxIdBytes is 1024"],
    [{ sku: "a", emb: [1] }, "record 2: emb: 1 numbers; the vectors of this datastore have 2"],
    [{ sku: "a", emb: [1, "2"] }, "record 2: emb: number 2 must be a finite 32-bit number, got 2"],
    [{ sku: "a", emb: [1, 1e300] }, /number 2 must be a finite 32-bit number, got 1e\+300/],
    [{ sku: "a", emb: "1,2" }, "record 2: emb: must be a list of 2 numbers"],
  ])("%o", async (record, message) => {
    const expected = typeof message === "string" ? message : expect.stringMatching(message);
    expect(await refusalOf(record)).toMatchObject({
      code: "INVALID_REQUEST",
      message: expected,
      details: { record: 2, field: expect.any(String) },
    });
  });

  test("JSON that is nested too deeply", async () => {
    for (const levels of [501, 200_000]) {
      let value: unknown = 1;
      for (let level = 0; level < levels; level++) value = [value];
      expect(await refusalOf({ sku: "a", tags: value })).toMatchObject({
        message: "record 2: tags: nested over 500 levels deep",
        details: { limit: "maxDepth", field: "tags" },
      });
    }
  });

  test("a record over the limit", async () => {
    const limits = { ...DEFAULT_LIMITS, maxRecordBytes: 1_000 };
    expect(await refusalOf({ sku: "a", name: "é".repeat(600) }, limits)).toMatchObject({
      message: expect.stringMatching(/^record 2: 12\d\d bytes; the limit maxRecordBytes is 1000$/),
      details: { limit: "maxRecordBytes" },
    });
  });

  test("a batch as a whole: none of it is written", async () => {
    const file = await newFile();
    const writer = createWriter({ file, schema, revision: 1, limits: DEFAULT_LIMITS });
    errorOf(() =>
      writer.add([{ data: { sku: "a" } }, { data: { sku: 5 as never }, id: "x" }, { data: { sku: null } }]),
    );
    expect(writer.finish().rows).toBe(0);
  });

  test("an id that two records have, naming both, and leaves no file", async () => {
    const file = await newFile();
    const writer = createWriter({ file, schema, revision: 1, limits: DEFAULT_LIMITS });
    writer.add(["a", "b", "c", "b"].map((sku) => ({ data: { sku } })));
    expect(errorOf(() => writer.finish())).toMatchObject({
      code: "INVALID_REQUEST",
      message: 'record 4: sku: "b" is already the id of record 2',
      details: { record: 4, first: 2, field: "sku", value: "b" },
    });
    expect(await readdir(dirname(file))).toEqual([]);
  });
});
