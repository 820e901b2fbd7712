import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { removeRecords, upsertRecords } from "../../../runtime/datastores/changes.ts";
import { copyRevision } from "../../../runtime/datastores/copy.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { dataOf, errorOf, hitsOf, idsOf, newFile, pageOf, readFile, schemaOf, writeFile } from "./fixture.ts";

const schema = schemaOf(
  { id: "text", text: "text", n: "integer" },
  { idField: "id", textFields: ["text"], filters: ["n"], vector: { dimensions: 2 } },
);

const record = (id: string, text: string, n = 0, embedding = [1, 0]) => ({ data: { id, text, n, embedding } });
const start = () => writeFile(schema, [record("a", "one apple"), record("b", "two pears"), record("c", "three figs")]);
const upsert = (file: string, revision: number, ...records: ReturnType<typeof record>[]) =>
  upsertRecords({ file, revision }, records, DEFAULT_LIMITS);

test("a change is seen by its own revision and later ones alone", async () => {
  const file = await start();
  const reader = readFile(file);
  expect(upsert(file, 2, record("b", "green plums", 7, [0, 1]), record("d", "dates"))).toMatchObject({
    rows: 4,
    added: 1,
    replaced: 1,
    removed: 0,
    deadRows: 1,
  });
  expect(removeRecords({ file, revision: 5 }, ["a", "nobody", "a"])).toMatchObject({
    rows: 3,
    removed: 1,
    deadRows: 2,
  });
  const seen = [1, 2, 5].map((revision) => ({
    ids: idsOf(pageOf(reader.scan(revision, {})).records).join(""),
    count: reader.count(revision),
    counted: reader.count(revision, { n: { $gte: 0 } }),
    b: dataOf(reader.get(revision, ["b"])),
    a: dataOf(reader.get(revision, ["a"]))[0] !== null,
    pears: idsOf(hitsOf(reader.search(revision, { query: "pears" }))),
    plums: idsOf(hitsOf(reader.search(revision, { query: "plums" }))),
    near: idsOf(hitsOf(reader.search(revision, { vector: [0, 1], top_k: 1, min_score: 0.5 }))),
  }));
  const newB = { id: "b", text: "green plums", n: 7 };
  const oldB = { id: "b", text: "two pears", n: 0 };
  expect(seen).toEqual([
    { ids: "abc", count: 3, counted: 3, b: [oldB], a: true, pears: ["b"], plums: [], near: [] },
    { ids: "acbd", count: 4, counted: 4, b: [newB], a: true, pears: [], plums: ["b"], near: ["b"] },
    { ids: "cbd", count: 3, counted: 3, b: [newB], a: false, pears: [], plums: ["b"], near: ["b"] },
  ]);
});

test("a change that was never published is undone by the next one", async () => {
  const file = await start();
  upsert(file, 2, record("a", "lost words"), record("x", "lost too"));
  removeRecords({ file, revision: 3 }, ["b"]);
  expect(upsert(file, 2, record("c", "kept words"))).toMatchObject({ rows: 3, replaced: 1, deadRows: 1 });
  const reader = readFile(file);
  expect(idsOf(pageOf(reader.scan(2, {})).records)).toEqual(["a", "b", "c"]);
  expect(hitsOf(reader.search(2, { query: "lost" }))).toEqual([]);
  expect(idsOf(hitsOf(reader.search(2, { query: "words" })))).toEqual(["c"]);
  expect(errorOf(() => reader.count(3))).toMatchObject({ code: "NOT_FOUND" });
  const db = new DatabaseSync(file);
  db.exec("INSERT INTO words(words, rank) VALUES('integrity-check', 1)");
  db.close();
});

test("a removed record may come back", async () => {
  const file = await start();
  removeRecords({ file, revision: 2 }, ["a"]);
  upsert(file, 3, record("a", "again"));
  const reader = readFile(file);
  expect([1, 2, 3].map((revision) => dataOf(reader.get(revision, ["a"]))[0])).toEqual([
    { id: "a", text: "one apple", n: 0 },
    null,
    { id: "a", text: "again", n: 0 },
  ]);
});

test("of two records with one id in a change the later one stays", async () => {
  const file = await start();
  expect(upsert(file, 2, record("z", "first"), record("z", "second"))).toMatchObject({ rows: 4, added: 1 });
  expect(dataOf(readFile(file).get(2, ["z"]))).toEqual([{ id: "z", text: "second", n: 0 }]);
});

describe("a change that fails", () => {
  test("leaves nothing behind and says what is wrong", async () => {
    const file = await start();
    const bad = { data: { id: "y", n: 1.5 } };
    expect(errorOf(() => upsertRecords({ file, revision: 2 }, [record("x", "x"), bad], DEFAULT_LIMITS))).toMatchObject({
      code: "INVALID_REQUEST",
      message: "record 2: n: must be a whole number, got 1.5",
    });
    const reader = readFile(file);
    expect(errorOf(() => reader.count(2))).toMatchObject({ code: "NOT_FOUND" });
    expect(hitsOf(reader.search(1, { query: "x" }))).toEqual([]);
  });

  test("needs an id that is not made up", async () => {
    const file = await writeFile(schemaOf({ a: "text" }), []);
    const change = () => upsertRecords({ file, revision: 2 }, [{ data: { a: "x" } }], DEFAULT_LIMITS);
    expect(errorOf(change)).toMatchObject({ message: "record 1: id: is missing: every record needs its id" });
  });

  test("is one that would undo the file's first revision", async () => {
    const file = await start();
    expect(errorOf(() => upsert(file, 1, record("a", "x")))).toMatchObject({ code: "CONFLICT" });
    expect(readFile(file).count(1)).toBe(3);
  });
});

test("a copy has one revision's records and vectors, and no dead rows", async () => {
  const file = await start();
  upsert(file, 2, record("b", "green plums", 7, [0, 1]));
  removeRecords({ file, revision: 3 }, ["c"]);
  upsert(file, 4, record("late", "not copied"));
  const target = await newFile();
  expect(copyRevision({ file, revision: 3 }, target, DEFAULT_LIMITS)).toMatchObject({ rows: 2, deadRows: 0 });
  const copy = readFile(target);
  expect(pageOf(copy.scan(3, {})).records.map(({ data }) => data)).toEqual([
    { id: "a", text: "one apple", n: 0 },
    { id: "b", text: "green plums", n: 7 },
  ]);
  expect(idsOf(hitsOf(copy.search(3, { query: "plums", vector: [0, 1] })))).toEqual(["b", "a"]);
  expect(errorOf(() => copy.count(2))).toMatchObject({ code: "NOT_FOUND" });
  upsert(target, 4, record("next", "goes on"));
  expect(copy.count(4)).toBe(3);
});
