import { describe, expect, test } from "vitest";
import { openReader } from "../../../runtime/datastores/reader.ts";
import type { Filter } from "../../../runtime/datastores/types.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { dataOf, errorOf, idsOf, newFile, pageOf, readerOf, readFile, schemaOf, writeFile } from "./fixture.ts";

const schema = schemaOf(
  { id: "text", city: "text", size: "integer", price: "real", open: "boolean", tags: "json" },
  { idField: "id", filters: ["city", "size"] },
);

const records = [
  { id: "a", city: "Bonn", size: 1, price: 0.5, open: true, tags: ["x"] },
  { id: "b", city: "Bonn", size: 2, price: 1.5, open: false },
  { id: "c", city: "Köln", size: 3, open: true },
  { id: "d", size: 4, price: -1, tags: {} },
].map((data) => ({ data }));

const matching = async (filter: unknown): Promise<string> => {
  const reader = await readerOf(schema, records);
  const ids = idsOf(pageOf(reader.scan(1, { filter: filter as Filter })).records);
  expect(reader.count(1, filter as Filter)).toBe(ids.length);
  return ids.join("");
};

describe("a filter", () => {
  test.each([
    [{}, "abcd"],
    [{ city: "Bonn" }, "ab"],
    [{ city: { $eq: "Bonn" }, open: false }, "b"],
    [{ city: { $ne: "Bonn" } }, "cd"],
    [{ city: null }, "d"],
    [{ city: { $ne: null } }, "abc"],
    [{ city: { $in: ["Köln", "Rom"] } }, "c"],
    [{ city: { $in: ["Köln", null] } }, "cd"],
    [{ city: { $in: [] } }, ""],
    [{ open: { $in: [true] } }, "ac"],
    [{ size: { $gt: 1, $lte: 3 } }, "bc"],
    [{ size: { $gte: 1.5, $lt: 3.5 } }, "bc"],
    [{ price: { $lt: 1 } }, "ad"],
    [{ price: { $exists: false } }, "c"],
    [{ tags: { $exists: true } }, "ad"],
    [{ tags: null }, "bc"],
    [{ id: { $in: ["d", "a"] } }, "ad"],
    [{ city: { $gt: "Bonn" } }, "c"],
    [{ city: "x' OR '1'='1" }, ""],
  ])("%j finds %s", async (filter, ids) => {
    expect(await matching(filter)).toBe(ids);
  });

  test("finds records by an id that is not in their data", async () => {
    const reader = await readerOf(schemaOf({ n: "integer" }), [{ id: "x", data: { n: 1 } }, { data: { n: 2 } }]);
    expect(reader.count(1, { id: "x" })).toBe(1);
  });

  test("takes as many values as the limit says", async () => {
    const reader = await readerOf(schema, records);
    const some = Array.from({ length: 10_000 }, (_, at) => at);
    expect(reader.count(1, { size: { $in: some } })).toBe(4);
    expect(errorOf(() => reader.count(1, { size: { $in: Array.from({ length: 100_000 }, () => 1) } }))).toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: 'datastore: filter: $in of "size": 100000 is over the limit maxInValues of 10000',
      details: { limit: "maxInValues", max: 10_000, value: 100_000 },
    });
  });

  test.each([
    [{ colour: 1 }, /filter: there is no field "colour"; there are "id", "city"/],
    [JSON.parse('{"__proto__":1}'), /there is no field "__proto__"/],
    [{ "r.id": "a" }, /there is no field "r\.id"/],
    [{ size: "1" }, /"size" is integer, so \$eq needs a number, got "1"/],
    [{ size: { $gt: null } }, /"size" is integer, so \$gt needs a number, got null/],
    [{ city: 5 }, /"city" is text, so \$eq needs a text, got 5/],
    [{ open: "true" }, /"open" is boolean, so \$eq needs true or false, got "true"/],
    [{ open: { $gt: false } }, /"open" is boolean, which has no \$gt/],
    [{ tags: ["x"] }, /"tags" is json, which can be filtered by \$exists only/],
    [{ size: { $regex: "a" } }, /"size" has no operator "\$regex"; there are \$eq/],
    [{ size: {} }, /"size" has no condition/],
    [{ size: { $in: 5 } }, /\$in of "size" must be a list, got 5/],
    [{ size: { $exists: 1 } }, /\$exists of "size" must be true or false, got 1/],
    ["size", /filter must be an object/],
    [[], /filter must be an object/],
  ])("%j is refused", async (filter, message) => {
    const reader = await readerOf(schema, records);
    const expected = { code: "INVALID_ARGUMENT", message: expect.stringMatching(message) };
    expect(errorOf(() => reader.count(1, filter as Filter))).toMatchObject(expected);
    expect(errorOf(() => reader.scan(1, { filter: filter as Filter }))).toMatchObject(expected);
  });

  test("of too many conditions is refused", async () => {
    const reader = await readerOf(schema, records);
    const wide = schemaOf(Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`f${at}`, "integer"])));
    const other = await readerOf(wide, []);
    const filter = Object.fromEntries(wide.columns.map(({ name }) => [name, 1]));
    expect(errorOf(() => other.count(1, filter))).toMatchObject({ details: { limit: "maxConditions", value: 101 } });
    expect(reader.count(1, { size: { $gt: 0, $lt: 9 } })).toBe(4);
  });
});

describe("a scan", () => {
  test("gives every record once, page by page", async () => {
    const reader = await readerOf(schema, records);
    const first = pageOf(reader.scan(1, { limit: 3 }));
    const rest = pageOf(reader.scan(1, { limit: 3, after: first.after ?? 0 }));
    expect([idsOf(first.records), idsOf(rest.records), rest.after]).toEqual([["a", "b", "c"], ["d"], null]);
    expect(pageOf(reader.scan(1, { limit: 4 })).after).toBeNull();
  });

  test("gives the fields asked for", async () => {
    const reader = await readerOf(schema, records);
    const page = pageOf(reader.scan(1, { fields: ["price", "id"], limit: 1 }));
    expect(page.records).toEqual([{ id: "a", data: { price: 0.5, id: "a" } }]);
    expect(errorOf(() => reader.scan(1, { fields: ["nope"] }))).toMatchObject({ message: /no field "nope"/ });
  });

  test("ends a page early when its records are large", async () => {
    const large = Array.from({ length: 5 }, (_, at) => ({ data: { id: `${at}`, city: "x".repeat(600_000) } }));
    const reader = await readerOf(schema, large);
    const page = pageOf(reader.scan(1, { limit: 100 }));
    expect(page.records.length).toBe(2);
    expect(pageOf(reader.scan(1, { limit: 100, after: page.after ?? 0 })).records.length).toBe(2);
  });

  test.each([[{ limit: 0 }], [{ limit: 1.5 }], [{ limit: "5" }], [{ after: -1 }], [{ limit: 1_001 }]])(
    "refuses %j",
    async (params) => {
      const reader = await readerOf(schema, records);
      const code = expect.stringMatching(/INVALID_ARGUMENT|LIMIT_EXCEEDED/);
      expect(errorOf(() => reader.scan(1, params as object))).toMatchObject({ code });
    },
  );
});

describe("a reader", () => {
  test("refuses ids that are none, and too many", async () => {
    const reader = await readerOf(schema, records);
    expect(dataOf(reader.get(1, ["\ud800", "a\0", "__proto__"]))).toEqual([null, null, null]);
    expect(errorOf(() => reader.get(1, [5 as never]))).toMatchObject({
      message: "datastore: id must be a text, got 5",
    });
    const many = Array.from({ length: 1_001 }, () => "a");
    expect(errorOf(() => reader.get(1, many))).toMatchObject({ details: { limit: "maxGetIds", value: 1_001 } });
  });

  test("names the limit that a result passes", async () => {
    const file = await writeFile(schema, records);
    const reader = readFile(file, { ...DEFAULT_LIMITS, maxResultBytes: 100 });
    expect(errorOf(() => reader.scan(1, {}))).toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: expect.stringMatching(/result: bytes: \d+ is over the limit maxResultBytes of 100/),
    });
  });

  test("says that there is no such file or revision, and no path", async () => {
    const file = await newFile();
    const options = { limits: DEFAULT_LIMITS, vectors: null };
    expect(errorOf(() => openReader(file, options))).toMatchObject({
      code: "NOT_FOUND",
      message: "The datastore has no such revision.",
    });
    const reader = await readerOf(schema, records);
    for (const revision of [0, 2, Number.NaN, "1" as never])
      expect(errorOf(() => reader.count(revision))).toMatchObject({ code: "NOT_FOUND" });
  });

  test("describes a revision", async () => {
    const reader = await readerOf(schema, records);
    expect(reader.describe(1)).toEqual({ schema, revision: 1, rows: 4, deadRows: 0, bytes: expect.any(Number) });
  });
});
