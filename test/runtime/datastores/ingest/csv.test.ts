import { describe, expect, test } from "vitest";
import { dataOf, importText, refusal } from "./fixture.ts";

const csv = (text: string | Uint8Array, wishes = {}) => importText("csv", text, wishes);
const data = (text: string | Uint8Array, wishes = {}) => dataOf("csv", text, wishes);
const refused = async (text: string | Uint8Array, wishes = {}) => {
  const { code, message, details } = await refusal(csv(text, wishes));
  expect(code).toBe("INVALID_REQUEST");
  return { message, details };
};

describe("cells and lines", () => {
  test("quotes, doubled quotes, delimiters and line ends within quotes belong to the cell", async () => {
    expect(await data('id,note\na,"x, ""y""\nz"\n')).toEqual([{ id: "a", note: 'x, "y"\nz' }]);
  });

  test.each([
    ["line feeds", 'id,n\na,x\n\nb,"y"\n'],
    ["carriage returns before them", 'id,n\r\na,x\r\n\r\nb,"y"\r\n'],
    ["carriage returns alone", 'id,n\ra,x\r\rb,"y"\r'],
    ["no end of the last line", 'id,n\na,x\nb,"y"'],
    ["a byte order mark", '\ufeffid,n\na,x\nb,"y"'],
    ["semicolons", 'id;n\na;x\nb;"y"'],
    ["bars", "id|n\na|x\nb|y"],
  ])("%s are understood, and blank lines left out", async (_name, text) => {
    expect(await data(text)).toEqual([
      { id: "a", n: "x" },
      { id: "b", n: "y" },
    ]);
  });

  test("tabs are the delimiter of TSV, another one is an option", async () => {
    expect(await dataOf("tsv", "id\tn\na\t1,5\n")).toEqual([{ id: "a", n: "1,5" }]);
    expect(await data("id:n\na:1\n", { options: { delimiter: ":" } })).toEqual([{ id: "a", n: 1 }]);
  });

  test("without a quote character, quotes are text", async () => {
    expect(await data('id,n\na,"x"\nb,5"\n', { options: { quote: "" } })).toEqual([
      { id: "a", n: '"x"' },
      { id: "b", n: '5"' },
    ]);
  });

  test("without a header, columns are numbered", async () => {
    const { types, records } = await csv("a,1\nb,2\n", { options: { header: false } });
    expect(types).toEqual({ column_1: "text", column_2: "integer" });
    expect(records.map(({ id }) => id)).toEqual(["1", "2"]);
  });

  test("UTF-16 with a byte order mark is read, in both byte orders", async () => {
    const little = Buffer.from("\ufeffid,n\na,é\n", "utf16le");
    const big = Buffer.from(little).swap16();
    expect(await data(little)).toEqual([{ id: "a", n: "é" }]);
    expect(await data(big)).toEqual([{ id: "a", n: "é" }]);
  });
});

describe("types", () => {
  test("are those that hold all values of a column", async () => {
    const { types, records, report } = await csv(
      "id,i,r,b,d,zip,mix,none\na,1,1,true,2024-01-01,007,1,\nb,-20,2.5,FALSE,2024-01-02T03:04:05Z,123,x,\nc,,1e3,,,,,\n",
    );
    expect(types).toEqual({
      id: "text",
      i: "integer",
      r: "real",
      b: "boolean",
      d: "text",
      zip: "text",
      mix: "text",
      none: "text",
    });
    expect(records[1]?.data).toMatchObject({
      i: -20,
      r: 2.5,
      b: false,
      d: "2024-01-02T03:04:05Z",
      zip: "123",
      none: null,
    });
    expect(records[2]?.data).toMatchObject({ i: null, r: 1_000 });
    expect(report.warnings.join(" ")).toContain('"mix" has values of several types; it is kept as text');
  });

  test("keyword search looks at the first columns of text, unless the owner names some or none", async () => {
    const text = "id,name,price,city\na,Red shoes,1,Bern\n";
    const { report } = await csv(text);
    expect(report.schema.textFields).toEqual(["name", "city"]);
    expect(report.warnings).toEqual(['Keyword search looks at "name", "city"; text_fields would name others.']);
    for (const textFields of [["city"], []])
      expect((await csv(text, { schema: { textFields } })).report).toMatchObject({
        schema: { textFields },
        warnings: [],
      });
    const names = Array.from({ length: 40 }, (_, at) => `c${at}`);
    const many = (await csv(`${names.join()}\n${names.join()}\n`)).report;
    expect(many.schema.textFields).toEqual(names.slice(0, 32));
    expect(many.warnings.join(" ")).toContain("the first 32 of 40 columns of text");
  });

  test("integers that a number cannot hold are kept as text, and the report says so", async () => {
    const { records, report } = await csv("id,n\na,9007199254740993\nb,1\n");
    expect(records.map((record) => record.data["n"])).toEqual(["9007199254740993", "1"]);
    expect(report.warnings.join(" ")).toContain("9007199254740991");
    expect(await data("id,n\na,9007199254740991\n")).toEqual([{ id: "a", n: 9_007_199_254_740_991 }]);
  });

  test("decimals are the nearest numbers", async () => {
    const numbers = ["0.1", "-0.3", "1234.5678", "3.14159265358979", "-12.05", "0.000001", "123456789.123456789"];
    const rows = await data(`n\n${numbers.join("\n")}\n`);
    expect(rows.map(({ n }) => n)).toEqual(numbers.map(Number));
  });

  test("NaN, Infinity, plus signs and thousands are text", async () => {
    for (const value of ["NaN", "Infinity", "+5", "1 000", "0x10", "1.", ".5", "1e999", "--1"]) {
      expect((await csv(`id,n\na,${value}\n`)).types["n"], value).toBe("text");
    }
  });

  test("a later value that does not fit the first megabytes leads to the same schema", async () => {
    const many = Array.from({ length: 21_000 }, (_, at) => `r${at},${at}`).join("\n");
    const { types, records, report } = await csv(`id,n\n${many}\nlast,x\n`);
    expect(types["n"]).toBe("text");
    expect(report.rows).toBe(21_001);
    expect(records[7]?.data).toEqual({ id: "r7", n: "7" });
  });

  test("a declared type is kept to", async () => {
    const schema = { columns: [{ name: "n", type: "integer" as const, nullable: true }] };
    expect((await csv("id,n\na,\n", { schema })).types["n"]).toBe("integer");
    const { message, details } = await refused("id,n\na,1\nb,two\n", { schema });
    expect(message).toBe('csv, line 3, column "n": expected an integer within ±9007199254740991, got "two".');
    expect(details).toMatchObject({ format: "csv", line: 3, column: "n", value: '"two"' });
    expect((await refused("id,n\na,9007199254740993\n", { schema })).details).toMatchObject({ line: 2, column: "n" });
  });

  test("declared JSON is parsed, and refused where it is none", async () => {
    const schema = { columns: [{ name: "j", type: "json" as const, nullable: true }] };
    expect(await data('id,j\na,"[1,{""k"":null}]"\n', { schema })).toEqual([{ id: "a", j: [1, { k: null }] }]);
    expect((await refused("id,j\na,[1\n", { schema })).details).toMatchObject({ line: 2, column: "j" });
    expect((await refused(`id,j\na,${"[".repeat(600)}${"]".repeat(600)}\n`, { schema })).details).toMatchObject({
      line: 2,
    });
  });

  test("a column that may not be null needs its values", async () => {
    const schema = { columns: [{ name: "n", type: "real" as const, nullable: false }] };
    expect((await refused("id,n\na,1\nb,\n", { schema })).message).toContain('line 3, column "n"');
    expect((await refused("id,m\na,1\n", { schema })).message).toContain("a declared column is missing");
  });
});

describe("bad rows", () => {
  test("too few and too many cells are named with line and count", async () => {
    expect((await refused('id,n\na,"x\ny"\n\nb\n')).details).toMatchObject({
      line: 5,
      problem: expect.stringContaining("2 cells"),
    });
    expect((await refused("id,n\na,1,2\n")).message).toBe(
      'csv, line 2: expected 2 cells, as the first line has, found 3, got "2".',
    );
  });

  test("an unclosed quote is named where it begins", async () => {
    expect((await refused('id,n\na,1\nb,"x\nc,2\n')).details).toMatchObject({ line: 3, column: 3 });
    const far = `id,n\na,1\nb,"x\n${"c,2\n".repeat(400_000)}`;
    expect((await refused(far)).details).toMatchObject({ line: 3, column: 3 });
  });

  test("text behind a closing quote is refused", async () => {
    expect((await refused('id,n\na,1\nb,"x"y\n')).details).toMatchObject({ line: 3, column: 3 });
  });

  test("a record over the limit is refused without being held, and named where it begins", async () => {
    const limits = { maxRecordBytes: 100_000 };
    const long = `id,n\na,1\nb,"${"x".repeat(3_000_000)}"\n`;
    expect((await refused(long, { limits })).details).toMatchObject({
      line: 3,
      limit: "maxRecordBytes",
      limitValue: 100_000,
    });
    const line = `id,n\na,${"x".repeat(3_000_000)}`;
    expect((await refused(line, { limits })).details).toMatchObject({ line: 2, limit: "maxRecordBytes" });
  });

  test("wrong encodings are named with line and column", async () => {
    const latin = Buffer.from("id,n\na,caf\xe9\n", "latin1");
    expect((await refused(latin)).message).toContain("csv, line 2, column 6: expected UTF-8");
    const late = Buffer.concat([Buffer.from(`id,n\n${"a€,1\n".repeat(300_000)}b,`), Buffer.from([0xff, 0x0a])]);
    expect((await refused(late)).details).toMatchObject({ line: 300_002, column: 3 });
    expect((await refused("id,n\na,x\0y\n")).details).toMatchObject({ line: 2, column: 4 });
    expect((await refused(Buffer.from("id,n\na,1\n", "utf16le"))).message).toContain("NUL");
    expect((await refused(Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]))).message).toContain("UTF-32");
  });

  test("a half character at the end of the file is refused", async () => {
    expect((await refused(Buffer.from([...Buffer.from("id,n\na,"), 0xc3]))).details).toMatchObject({
      line: 2,
      column: 3,
    });
  });

  test("an empty file is refused, one with a header alone has no records", async () => {
    expect((await refused("")).message).toContain("the file is empty");
    expect((await refused("\n\n")).message).toContain("the file is empty");
    const { report } = await csv("id,n\n");
    expect(report).toMatchObject({ rows: 0, warnings: expect.arrayContaining(["The file has no records."]) });
  });
});

describe("columns", () => {
  test("of one name are refused, also if only their case differs", async () => {
    expect((await refused("id,n,n\n1,2,3\n")).message).toContain("columns 2 and 3 have the same name");
    expect((await refused("id,N,n\n1,2,3\n")).message).toContain("columns 2 and 3 have the same name");
  });

  test("without a name are numbered, and the report says so", async () => {
    const { types, report } = await csv("id,,n\n1,2,3\n");
    expect(Object.keys(types)).toEqual(["id", "column_2", "n"]);
    expect(report.warnings.join(" ")).toContain("Column 2 has no name");
  });

  test("may be so many and no more, and their names so long", async () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `c${at}`).join(",");
    expect((await refused(`${many}\n`)).details).toMatchObject({
      line: 1,
      limit: "maxDatastoreColumns",
      limitValue: 1_000,
    });
    expect((await refused(`id,${"n".repeat(5_000)}\n`)).details).toMatchObject({ column: 2, limit: "maxNameChars" });
    expect((await refused("id,__proto__\n1,2\n")).details).toMatchObject({ line: 1, column: 2 });
  });
});

describe("ids", () => {
  test("come from the column `id`, from another one, or are the records' numbers", async () => {
    expect((await csv("n,id\n1,x\n")).records.map(({ id }) => id)).toEqual(["x"]);
    expect((await csv("k,id\nx,1\n", { schema: { idField: "k" } })).records.map(({ id }) => id)).toEqual(["x"]);
    expect((await csv("k,id\nx,1\ny,1\n", { schema: { idField: null } })).records.map(({ id }) => id)).toEqual([
      "1",
      "2",
    ]);
    expect((await refused("k,n\nx,1\n", { schema: { idField: "id" } })).message).toContain('there are: "k", "n"');
  });

  test("that appear twice are an error that names both lines", async () => {
    const { message, details } = await refused('id,n\na,1\nb,"2\n2"\nc,3\nb,4\n');
    expect(message).toBe('csv, line 6, column "id": expected an id of its own, line 3 has the same, got "b".');
    expect(details).toMatchObject({ line: 6, firstLine: 3, column: "id" });
  });

  test("that appear twice leave the last or the first record where that is asked for", async () => {
    const text = "id,n\na,1\nb,2\na,3\nc,4\nb,5\n";
    const last = await csv(text, { options: { onDuplicate: "last" } });
    expect(last.records.map((record) => record.data)).toEqual([
      { id: "a", n: 3 },
      { id: "c", n: 4 },
      { id: "b", n: 5 },
    ]);
    expect(last.report.rows).toBe(3);
    const first = await csv(text, { options: { onDuplicate: "first" } });
    expect(first.records.map((record) => record.data["n"])).toEqual([1, 2, 4]);
  });

  test("that are empty or too long are refused", async () => {
    expect((await refused("id,n\na,1\n,2\n")).details).toMatchObject({ line: 3, column: "id" });
    expect((await refused(`id,n\n${"x".repeat(2_000)},1\n`)).details).toMatchObject({ line: 2, limit: "maxIdBytes" });
  });
});
