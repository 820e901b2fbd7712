import { describe, expect, test } from "vitest";
import type { Format } from "../../../../runtime/datastores/ingest/types.ts";
import { dataOf, importText, refusal } from "./fixture.ts";

const refused = async (format: Format, text: string, wishes = {}) => {
  const { code, message, details } = await refusal(importText(format, text, wishes));
  expect(code).toBe("INVALID_REQUEST");
  return { message, details };
};

/** The same records as a JSON array and as lines. */
const both = (...lines: readonly string[]) =>
  [
    ["json", `[${lines.join(",\n ")}]`],
    ["jsonl", `${lines.join("\n")}\n`],
  ] as const;

describe("records of either format", () => {
  test.each(both('{"id":"a","n":1,"tags":["x"],"ok":true,"t":"é😀"}', '{"id":"b","n":2.5,"more":{"k":null}}'))(
    "of %s keep their values, members that are missing are null",
    async (format, text) => {
      const { types, records } = await importText(format, text);
      expect(types).toEqual({ id: "text", n: "real", tags: "json", ok: "boolean", t: "text", more: "json" });
      expect(records.map(({ data }) => data)).toEqual([
        { id: "a", n: 1, tags: ["x"], ok: true, t: "é😀", more: null },
        { id: "b", n: 2.5, tags: null, ok: null, t: null, more: { k: null } },
      ]);
    },
  );

  test.each(both('{"id":"a","n":1}', '{"id":"b","n":"x"}', '{"id":"c","n":[1]}', '{"id":"d","n":true}'))(
    "of %s with values of several types keep them as JSON where one is a list",
    async (format, text) => {
      const { types, records, report } = await importText(format, text);
      expect(types["n"]).toBe("json");
      expect(records.map(({ data }) => data["n"])).toEqual([1, "x", [1], true]);
      expect(report.warnings.join(" ")).toContain('"n"');
    },
  );

  test.each(both('{"id":"a","n":1}', '{"id":"b","n":"x"}', '{"id":"c","n":true}'))(
    "of %s with scalars of several types keep them as text, and the report says so",
    async (format, text) => {
      const { records, report } = await importText(format, text);
      expect(records.map(({ data }) => data["n"])).toEqual(["1", "x", "true"]);
      expect(report.warnings.join(" ")).toContain("several types");
    },
  );

  test.each(both('{"id":"a","n":12345678901234567890,"j":{"k":12345678901234567890,"f":1e300}}'))(
    "of %s keep integers that a number cannot hold as text",
    async (format, text) => {
      expect(await dataOf(format, text)).toEqual([
        { id: "a", n: "12345678901234567890", j: { k: "12345678901234567890", f: 1e300 } },
      ]);
    },
  );

  test.each(both('{"id":"a","n":1}', '{"id":"b","n":1e999}'))(
    "of %s with an infinite number are refused",
    async (format, text) => {
      expect((await refused(format, text)).details).toMatchObject({ line: 2, column: "n" });
    },
  );

  test.each(both('{"id":"a"}', '{"id":"b"}', '{"id":"a"}'))(
    "of %s with an id twice are refused by both lines",
    async (format, text) => {
      expect((await refused(format, text)).details).toMatchObject({ line: 3, firstLine: 1 });
    },
  );

  test.each(both('{"id":"a","v":[1,2,3]}', '{"id":"b","v":"[1,2]"}'))(
    "of %s with a vector of the wrong dimension are refused by line and both dimensions",
    async (format, text) => {
      const schema = { vector: { field: "v", dimensions: 3, metric: "cosine", source: "data" } as const };
      const { message, details } = await refused(format, text, { schema });
      expect(message).toContain('line 2, column "v": expected 3 dimensions, found 2');
      expect(details).toMatchObject({ expectedDimensions: 3, foundDimensions: 2 });
    },
  );

  test.each(both('{"id":"a","t":"x\\ud800y"}'))(
    "of %s with half of a surrogate pair are refused",
    async (format, text) => {
      expect((await refused(format, text)).details).toMatchObject({ line: 1, column: "t" });
    },
  );

  test.each(both('{"id":"a","t":"x\\u0000y"}'))("of %s may hold an escaped NUL", async (format, text) => {
    expect(await dataOf(format, text)).toEqual([{ id: "a", t: "x\0y" }]);
  });

  test.each(both('{"id":"a","n":"1"}'))("of %s keep to a declared type", async (format, text) => {
    const schema = { columns: [{ name: "n", type: "integer" as const, nullable: true }] };
    expect((await refused(format, text, { schema })).message).toContain('column "n": expected an integer');
  });

  test.each(both(`{"id":"a","n":${"[".repeat(10_000)}${"]".repeat(10_000)}}`))(
    "of %s may not be 10,000 levels deep",
    async (format, text) => {
      expect((await refused(format, text)).details).toMatchObject({ line: 1, limit: "maxDepth" });
    },
  );

  test.each(both('{"id":"a","n":1}', `{"id":"b","n":"${"x".repeat(3_000_000)}"}`))(
    "of %s over the limit are refused",
    async (format, text) => {
      const { details } = await refused(format, text, { limits: { maxRecordBytes: 100_000 } });
      expect(details).toMatchObject({ line: 2, limit: "maxRecordBytes" });
    },
  );

  test.each(both('{"id":"a","__proto__":{"x":1}}'))("of %s may not name a member __proto__", async (format, text) => {
    expect((await refused(format, text)).message).toContain("__proto__");
  });

  test.each(both(`{"id":"a",${Array.from({ length: 1_000 }, (_, at) => `"c${at}":1`).join(",")}}`))(
    "of %s may not have more members than a datastore has columns",
    async (format, text) => {
      expect((await refused(format, text)).details).toMatchObject({ line: 1, limit: "maxDatastoreColumns" });
    },
  );
});

describe("JSON", () => {
  test.each([
    ["an object", '{"a":1}', { line: 1, column: 1 }],
    ["a number", "5", { line: 1, column: 2 }],
    ["nothing", " \n", {}],
    ["an array of numbers", '[{"id":1},\n 5]', { line: 2, column: 2 }],
    ["an array of arrays", "[[1]]", { line: 1, column: 2 }],
    ["an array without a comma", '[{"id":1} {"id":2}]', { line: 1, column: 11 }],
    ["an array with a comma too many", '[{"id":1},]', { line: 1, column: 11 }],
    ["a record that is not JSON", '[{"id":1},\n\n {"id":2,}]', { line: 3, column: 10 }],
    ["a record over lines that is not JSON", '[{"id":1},{\n"id":\n tru}]', { line: 3, column: 5 }],
    ["an array that does not end", '[{"id":1},\n{"id":2}', { line: 2, column: 9 }],
    ["a record that does not end", '[{"id":1},\n{"id":2', { line: 2 }],
    ["text behind the array", '[{"id":1}]\n x', { line: 2, column: 2 }],
    ["another array behind it", '[{"id":1}]\n[]', { line: 2, column: 1 }],
    ["no JSON at all", "hello", { line: 1, column: 1 }],
  ])("that is %s is refused with line and column", async (_name, text, place) => {
    expect((await refused("json", text)).details).toMatchObject({ format: "json", ...place });
  });

  test("an empty array has no records", async () => {
    expect((await importText("json", " [ ] ")).report).toMatchObject({ rows: 0 });
  });

  test("places are right in records that lie across blocks", async () => {
    const line = `{"id":"a","text":"${"é".repeat(700)}"}`;
    const records = Array.from({ length: 2_000 }, (_, at) => line.replace('"a"', `"r${at}"`));
    const { report } = await importText("json", `[${records.join(",\n")}]`);
    expect(report.rows).toBe(2_000);
    const broken = `[${records.join(",\n")},\n {"id":"x", "n":NaN}]`;
    expect((await refused("json", broken)).details).toMatchObject({ line: 2_001, column: 17 });
  });
});

describe("JSON Lines", () => {
  test("blank lines and carriage returns do not matter", async () => {
    expect(await dataOf("jsonl", '\n{"id":"a"}\r\n\r\n{"id":"b"}')).toEqual([{ id: "a" }, { id: "b" }]);
  });

  test.each([
    ["not JSON", '{"id":"a"}\n\n{"id":b}\n', { line: 3, column: 7 }],
    ["cut off", '{"id":"a"}\n{"id":"b"', { line: 2, column: 10 }],
    ["not JSON far on", `{"id":"a","t":"${"é".repeat(5_000)}","n":}\n`, { line: 1, column: 5_022 }],
    ["a list", '{"id":"a"}\n[1]\n', { line: 2 }],
    ["a text", '"a"\n', { line: 1 }],
  ])("a line that is %s is refused", async (_name, text, place) => {
    expect((await refused("jsonl", text)).details).toMatchObject({ format: "jsonl", ...place });
  });

  test("an empty file has no records", async () => {
    expect((await importText("jsonl", "")).report).toMatchObject({ rows: 0 });
  });

  test("a member that first comes late gets its column", async () => {
    const many = Array.from({ length: 21_000 }, (_, at) => `{"id":"r${at}"}`).join("\n");
    const { types, report } = await importText("jsonl", `${many}\n{"id":"last","late":5}\n`);
    expect(types).toEqual({ id: "text", late: "integer" });
    expect(report.rows).toBe(21_001);
  });
});
