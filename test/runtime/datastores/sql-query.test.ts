import { beforeAll, describe, expect, test } from "vitest";
import { removeRecords, upsertRecords } from "../../../runtime/datastores/changes.ts";
import { runQuery } from "../../../runtime/datastores/sql-query.ts";
import type { QueryParams } from "../../../runtime/datastores/types.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { errorOf, keepDirectory, schemaOf, writeFile } from "./fixture.ts";

const schema = schemaOf(
  { sku: "text", Name: "text", price: "real", open: "boolean", tags: "json", __proto: "text", 'a"b': "integer" },
  { idField: "sku", textFields: ["Name"], filters: ["price"] },
);

let file = "";
beforeAll(async () => {
  file = await writeFile(
    schema,
    [
      { data: { sku: "a", Name: "Apple", price: 1.5, open: true, tags: ["x", { y: 1 }], 'a"b': 3 } },
      { data: { sku: "b", Name: "Bean", price: 2.5, open: false } },
    ],
    await keepDirectory(),
  );
  upsertRecords(
    { file, revision: 2 },
    [{ data: { sku: "b", Name: "Berry" } }, { data: { sku: "c", Name: "Corn" } }],
    DEFAULT_LIMITS,
  );
  removeRecords({ file, revision: 3 }, ["a"]);
});

const run = (sql: string, params: QueryParams["params"] = [], more: { revision?: number; name?: string } = {}) => {
  const { revision = 1, name = "my-store" } = more;
  return JSON.parse(runQuery({ file, revision }, { name, sql, params }, DEFAULT_LIMITS));
};
const complaint = (sql: string, params: unknown = []) => errorOf(() => run(sql, params as QueryParams["params"]));

describe("a query", () => {
  test("reads records under both names, with the user's own columns", () => {
    expect(run("SELECT * FROM records WHERE sku = 'a'")).toEqual({
      columns: ["sku", "Name", "price", "open", "tags", "__proto", 'a"b'],
      rows: [{ sku: "a", Name: "Apple", price: 1.5, open: 1, tags: '["x",{"y":1}]', __proto: null, 'a"b': 3 }],
    });
    expect(run('SELECT name, "a""b" AS n FROM "my-store" ORDER BY price DESC').rows).toEqual([
      { Name: "Bean", n: null },
      { Name: "Apple", n: 3 },
    ]);
  });

  test("sees its revision and no other", () => {
    const sql = "SELECT group_concat(Name ORDER BY Name) AS names FROM records";
    const seen = [1, 2, 3].map((revision) => run(sql, [], { revision }).rows[0].names);
    expect(seen).toEqual(["Apple,Bean", "Apple,Berry,Corn", "Berry,Corn"]);
    expect(run("SELECT count(*) AS n FROM records", [], { revision: 3 }).rows).toEqual([{ n: 2 }]);
  });

  test("binds parameters by place and by name", () => {
    expect(run("SELECT ? AS a, ? AS b, ?3 AS c", ["x' OR 1", 1.5, true]).rows).toEqual([
      { a: "x' OR 1", b: 1.5, c: 1 },
    ]);
    expect(run("SELECT :a AS a, $b AS b, @c AS c", { a: null, b: "é", c: 2 }).rows).toEqual([
      { a: null, b: "é", c: 2 },
    ]);
  });

  test("may join, aggregate, recurse, use windows and JSON", () => {
    expect(run("SELECT value FROM records, json_each(tags) WHERE type = 'text'").rows).toEqual([{ value: "x" }]);
    expect(run("SELECT tags ->> '$[1].y' AS y FROM records WHERE tags IS NOT NULL").rows).toEqual([{ y: 1 }]);
    expect(
      run("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5) SELECT sum(x) AS s FROM c").rows,
    ).toEqual([{ s: 15 }]);
    expect(
      run("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5) SELECT count(*) AS n FROM c").rows,
    ).toEqual([{ n: 5 }]);
    expect(run("SELECT rank() OVER (ORDER BY price) AS r FROM records").rows).toEqual([{ r: 1 }, { r: 2 }]);
    expect(run("SELECT date('2020-01-31', '+1 day') AS d, strftime('%Y', ?) AS y", ["2021-05-01"]).rows).toEqual([
      { d: "2020-02-01", y: "2021" },
    ]);
    expect(run("VALUES (1), (2)").rows.length).toBe(2);
  });

  test("gives values that JSON has no form for as text, base64 or null", () => {
    expect(
      run("SELECT 9223372036854775807 AS big, x'00ff' AS bytes, 9e999 AS inf, 'a' AS a, 2 AS a, 3 AS __proto__").rows,
    ).toEqual([JSON.parse('{"big":"9223372036854775807","bytes":"AP8=","inf":null,"a":"a","a:1":2,"__proto__":3}')]);
  });

  test("may end in a semicolon and comments", () => {
    expect(run("SELECT 1 AS a; -- done\n/* really */").rows).toEqual([{ a: 1 }]);
  });

  test("counts what has a name of our tables: a datastore, or a WITH", () => {
    expect(run("SELECT count(*) AS n FROM words", [], { name: "words" }).rows).toEqual([{ n: 2 }]);
    expect(run("SELECT count(*) AS n FROM Removed", [], { name: "Removed" }).rows).toEqual([{ n: 2 }]);
    expect(run("WITH words AS (SELECT 1) SELECT count(*) AS n FROM words").rows).toEqual([{ n: 1 }]);
  });

  test.each(["removed", "words", "datastore", "sqlite_master", "json_each", "records", "RECORDS", "a.b"])(
    "reads no more where the datastore is called %s",
    (name) => {
      expect(run("SELECT count(*) AS n FROM records", [], { name }).rows).toEqual([{ n: 2 }]);
      expect(errorOf(() => run("SELECT * FROM main.removed", [], { name }))).toMatchObject({
        message: /removed is not available/,
      });
      expect(errorOf(() => run("SELECT * FROM main.datastore", [], { name }))).toMatchObject({
        message: /datastore is not available/,
      });
      expect(errorOf(() => run("SELECT * FROM main.sqlite_master", [], { name }))).toMatchObject({
        message: /not available/,
      });
    },
  );
});

describe("refused is", () => {
  test.each([
    "INSERT INTO records VALUES (1)",
    "UPDATE records SET price = 1",
    "DELETE FROM main.records",
    "DROP TABLE main.records",
    "CREATE TABLE x (a)",
    "CREATE TEMP TABLE x (a)",
    "CREATE TEMP VIEW v AS SELECT * FROM main.records",
    "ATTACH 'other.db' AS other",
    "DETACH main",
    "VACUUM INTO 'stolen.db'",
    "PRAGMA table_info('records')",
    "PRAGMA writable_schema = 1",
    "BEGIN",
    "SAVEPOINT a",
    "REINDEX",
    "ANALYZE",
    "CREATE VIRTUAL TABLE temp.v USING fts5vocab('main', 'words', 'row')",
    "WITH x AS (SELECT 1) INSERT INTO records SELECT * FROM x",
  ])("%s", (sql) => {
    expect(complaint(sql)).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/only SELECT is allowed|cannot modify|syntax error/),
    });
  });

  test.each([
    "SELECT * FROM sqlite_master",
    "SELECT count(*) FROM sqlite_master",
    "SELECT * FROM sqlite_schema",
    "SELECT * FROM temp.sqlite_master",
    "SELECT * FROM main.records",
    "SELECT rowid FROM main.records",
    "WITH records AS (SELECT * FROM main.records) SELECT * FROM records",
    "SELECT * FROM removed",
    "SELECT count(*) FROM revisions",
    "SELECT count(*) FROM main.datastore",
    "SELECT count(*) FROM main.records",
    "SELECT 1 FROM records, main.removed",
    "SELECT count(*) FROM removed",
    "SELECT EXISTS (SELECT 1 FROM words)",
    "SELECT row FROM temp.removed",
    "SELECT schema FROM datastore",
    "SELECT * FROM words",
    "SELECT * FROM words WHERE words MATCH 'apple'",
    "SELECT * FROM words_data",
    "SELECT * FROM dbstat",
    "SELECT * FROM pragma_database_list",
    "SELECT count(*) FROM pragma_function_list",
    "SELECT load_extension('x')",
    "SELECT LOAD_EXTENSION('x', 'y')",
    "SELECT random()",
    "SELECT randomblob(10)",
    "SELECT current_timestamp",
    "SELECT sqlite_version()",
    "SELECT fts5(1)",
    "SELECT readfile('/etc/passwd')",
    "SELECT writefile('x', 'y')",
  ])("%s", (sql) => {
    expect(complaint(sql)).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/is not available|no such function/),
    });
  });

  test.each([
    "date()",
    "date('now')",
    "datetime('NOW')",
    "unixepoch('subsec')",
    "strftime('%Y')",
    "timediff('2020-01-01', 'n' || 'ow')",
    "date(x'6e6f77')",
    "date('now' || char(0) || 'x')",
  ])("the current time: %s", (call) => {
    expect(complaint(`SELECT ${call}`)).toMatchObject({ message: /the current time is not available/ });
  });

  test.each([
    ["", /there is no statement/],
    [" ; -- nothing", /there is no statement/],
    ["SELECT 1; SELECT 2", /must be one statement/],
    ["SELECT 1; DROP TABLE records", /must be one statement/],
    ["SELECT 1\0; DROP TABLE records", /NUL character/],
    ["SELEC 1", /near "SELEC": syntax error/],
    ["SELECT nope FROM records", /no such column: nope/],
    ["SELECT * FROM nope", /no such table: nope/],
    ["SELECT '", /unrecognized token/],
    [5, /sql must be a text, got 5/],
  ])("%j, saying why", (sql, message) => {
    expect(complaint(sql as string)).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(message),
      details: { field: "sql" },
    });
  });

  test.each([
    ["SELECT ?", [{}], /"0" must be a text, a number, true, false or null, got \{\}/],
    ["SELECT ?, ?", [1], /1 values, and the sql has more parameters/],
    ["SELECT ?", [1, 2], /out of range/],
    ["SELECT :a", { b: 1 }, /Unknown named parameter 'b'/],
    ["SELECT 1", "x", /params must be a list or an object/],
  ])("%s with %j", (sql, params, message) => {
    expect(complaint(sql, params)).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) });
  });
});

describe("a limit is named:", () => {
  test.each([
    ["WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c", "maxDatastoreRows"],
    ["SELECT zeroblob(1000000000)", "maxResultBytes"],
    ["SELECT printf('%1000000000d', 1)", "maxResultBytes"],
    ["SELECT replace(hex(zeroblob(5000000)), '0', hex(zeroblob(5000)))", "maxResultBytes"],
    [
      "WITH RECURSIVE c(x) AS (SELECT hex(zeroblob(1000000)) UNION ALL SELECT x FROM c) SELECT group_concat(x) FROM (SELECT x FROM c LIMIT 100)",
      "maxResultBytes",
    ],
    [
      "WITH RECURSIVE c(x) AS (SELECT hex(zeroblob(1000000)) UNION ALL SELECT x FROM c) SELECT x FROM c",
      "maxResultBytes",
    ],
    [`SELECT 1 -- ${"x".repeat(100_000)}`, "maxSqlChars"],
  ])("%.90s", (sql, limit) => {
    expect(complaint(sql)).toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: expect.stringContaining(limit),
      details: { limit, max: expect.any(Number) },
    });
  });

  test("values to bind", () => {
    const params = Array.from({ length: 1_001 }, () => 1);
    expect(complaint("SELECT 1", params)).toMatchObject({ details: { limit: "maxSqlParams", value: 1_001 } });
  });

  test("patterns of LIKE", () => {
    expect(complaint("SELECT 'a' LIKE ?", ["%a".repeat(1_000)])).toMatchObject({ message: /pattern too complex/ });
  });
});
