import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { databaseOf, fileOf, importFile, importText, refusal } from "./fixture.ts";

const load = (sql: string, wishes = {}) => importFile("sqlite", databaseOf(sql), wishes);
const refused = async (work: Promise<unknown>) => {
  const { code, message, details } = await refusal(work);
  expect(code).toBe("INVALID_REQUEST");
  return { message, details };
};

const TWO = "CREATE TABLE one (id TEXT, n INTEGER); INSERT INTO one VALUES ('a', 1); CREATE TABLE two (id TEXT);";

describe("values", () => {
  test("keep their types; BLOBs become base64, large integers text", async () => {
    const { types, records } = await load(`
      CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, x REAL, bytes BLOB, big INTEGER);
      INSERT INTO t VALUES (1, 'é', 1.5, x'0102', 9007199254740993), (2, NULL, 2, NULL, 5);`);
    expect(types).toEqual({ id: "integer", name: "text", x: "real", bytes: "text", big: "text" });
    expect(records).toEqual([
      { id: "1", data: { id: 1, name: "é", x: 1.5, bytes: "AQI=", big: "9007199254740993" } },
      { id: "2", data: { id: 2, name: null, x: 2, bytes: null, big: "5" } },
    ]);
  });

  test("of mixed types are kept as text, and infinite ones refused by row", async () => {
    const { records, report } = await load(
      "CREATE TABLE t (id, v); INSERT INTO t VALUES ('a', 1), ('b', 'x'), ('c', 1.5);",
    );
    expect(records.map(({ data }) => data["v"])).toEqual(["1", "x", "1.5"]);
    expect(report.warnings.join(" ")).toContain('"v" has values of several types');
    const { details } = await refused(load("CREATE TABLE t (id, v); INSERT INTO t VALUES ('a', 1.0), ('b', 9e999);"));
    expect(details).toMatchObject({ format: "sqlite", row: 2, column: "v" });
  });

  test("that are JSON or vectors as text are read as such where that is declared", async () => {
    const schema = {
      columns: [{ name: "j", type: "json" as const, nullable: true }],
      vector: { field: "v", dimensions: 2, metric: "cosine", source: "data" } as const,
    };
    const sql = (vector: string) => `CREATE TABLE t (id, j, v); INSERT INTO t VALUES ('a', '{"k":[1]}', '${vector}');`;
    expect((await load(sql("[1, 2]"), { schema })).records[0]?.data).toEqual({ id: "a", j: { k: [1] } });
    expect((await refused(load(sql("[1]"), { schema }))).message).toContain("expected 2 dimensions, found 1");
  });

  test("over the limit are refused by row", async () => {
    const sql = "CREATE TABLE t (id, v); INSERT INTO t VALUES ('a', 'x'), ('b', hex(zeroblob(50000)));";
    expect((await refused(load(sql, { limits: { maxRecordBytes: 10_000 } }))).details).toMatchObject({ row: 2 });
  });
});

describe("tables", () => {
  test("are named by an option where there are several", async () => {
    expect((await load(TWO, { options: { table: "one" } })).records).toEqual([{ id: "a", data: { id: "a", n: 1 } }]);
    expect((await refused(load(TWO))).message).toContain('the option `table` says which: "one", "two"');
    expect((await refused(load(TWO, { options: { table: "three" } }))).message).toContain('there are: "one", "two"');
  });

  test("without a rowid are read", async () => {
    const { records } = await load(
      "CREATE TABLE t (id TEXT PRIMARY KEY, n) WITHOUT ROWID; INSERT INTO t VALUES ('b', 2), ('a', 1);",
    );
    expect(records.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("with any name are read", async () => {
    const name = 'a"b; DROP TABLE x --';
    const { records } = await load(
      `CREATE TABLE "a""b; DROP TABLE x --" (id TEXT); INSERT INTO "a""b; DROP TABLE x --" VALUES ('a');`,
      {
        options: { table: name },
      },
    );
    expect(records).toEqual([{ id: "a", data: { id: "a" } }]);
  });

  test("that are views or virtual are refused; those that virtual ones keep their data in do not count", async () => {
    const sql = "CREATE TABLE t (id TEXT); CREATE VIEW v AS SELECT * FROM t; CREATE VIRTUAL TABLE f USING fts5(x);";
    expect((await load(sql)).report.rows).toBe(0);
    expect((await refused(load(sql, { options: { table: "v" } }))).message).toContain("this is a view");
    expect((await refused(load(sql, { options: { table: "f" } }))).message).toContain("this is a virtual table");
  });

  test("with triggers are left as they are", async () => {
    const file = databaseOf(
      "CREATE TABLE t (id TEXT); INSERT INTO t VALUES ('a'); CREATE TABLE log (x); CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1); END;",
    );
    const before = readFileSync(file);
    await importFile("sqlite", file, { options: { table: "t" } });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("of a database in WAL mode are read without its log", async () => {
    expect(
      (await load("PRAGMA journal_mode = WAL; CREATE TABLE t (id TEXT); INSERT INTO t VALUES ('a');")).report.rows,
    ).toBe(1);
  });

  test("that there are none of are an error", async () => {
    expect((await refused(load("CREATE VIEW v AS SELECT 1"))).message).toContain("the database has none");
    expect((await refused(importText("sqlite", ""))).message).toContain("the database has none");
  });
});

describe("damaged files", () => {
  const rows =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT 'r' || i, 'text of ' || i FROM n";
  const sound = () => readFileSync(databaseOf(`CREATE TABLE t (id TEXT, v TEXT); INSERT INTO t ${rows};`));

  test("that are no databases or cut off are refused", async () => {
    expect((await refused(importText("sqlite", "id,n\n1,2\n"))).message).toContain("file is not a database");
    expect((await refused(importText("sqlite", sound().subarray(0, 40_000)))).details).toMatchObject({
      format: "sqlite",
    });
  });

  test("whose pages point in circles are refused, not read for ever", async () => {
    const bytes = sound();
    // The root is an interior page; all its children become its first one.
    const root = 4_096;
    const cells = bytes.readUInt16BE(root + 3);
    const child = bytes.readUInt32BE(root + bytes.readUInt16BE(root + 12));
    for (let cell = 0; cell < cells; cell++)
      bytes.writeUInt32BE(child, root + bytes.readUInt16BE(root + 12 + 2 * cell));
    bytes.writeUInt32BE(2, root + 8);
    const outcome = await importText("sqlite", bytes, { schema: { idField: null } }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: "INVALID_REQUEST" });
  });

  test("with any byte wrong are read or refused, never worse", async () => {
    const bytes = sound();
    for (let at = 0; at < 8_192; at += 97) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      const outcome = await importFile("sqlite", fileOf(damaged), { schema: { idField: null } }).catch(
        (error: unknown) => error,
      );
      if (outcome instanceof Error) expect(outcome, `byte ${at}`).toMatchObject({ code: "INVALID_REQUEST" });
    }
  });
});
