import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { upsertRecords } from "../../../runtime/datastores/changes.ts";
import { exportRevision } from "../../../runtime/datastores/export.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { errorOf, newFile, schemaOf, whenOver, writeFile } from "./fixture.ts";

async function tableOf(file: string, revision: number) {
  const target = await newFile();
  const report = exportRevision({ file, revision }, target);
  const db = new DatabaseSync(target, { readOnly: true });
  whenOver(() => db.close());
  const rows = db
    .prepare("SELECT * FROM records")
    .all()
    .map((row) => ({ ...row }));
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => name);
  return { report, rows, tables, files: await readdir(dirname(target)) };
}

test("an export is an ordinary file with the user's columns and one revision's records", async () => {
  const schema = schemaOf(
    { sku: "text", name: "text", Name: "text", open: "boolean", tags: "json", price: "real", 'odd"; --': "integer" },
    { idField: "sku", textFields: ["name"], vector: { field: "emb", dimensions: 2 } },
  );
  const file = await writeFile(schema, [
    {
      data: {
        sku: "a",
        name: "Apple",
        Name: "APPLE",
        open: true,
        tags: [1, { b: null }],
        price: 1.5,
        'odd"; --': 7,
        emb: [0.1, 2],
      },
    },
    { data: { sku: "b" } },
  ]);
  upsertRecords({ file, revision: 2 }, [{ data: { sku: "b", name: "later" } }], DEFAULT_LIMITS);
  const empty = { name: null, "Name:1": null, open: null, tags: null, price: null, 'odd"; --': null, emb: null };
  const apple = {
    ...{ sku: "a", name: "Apple", "Name:1": "APPLE", open: 1, tags: '[1,{"b":null}]', price: 1.5 },
    ...{ 'odd"; --': 7, emb: "[0.1,2]" },
  };
  expect(await tableOf(file, 1)).toEqual({
    report: { rows: 2, added: 2, replaced: 0, removed: 0, deadRows: 0, bytes: expect.any(Number) },
    rows: [apple, { ...empty, sku: "b" }],
    tables: ["records"],
    files: ["1.db"],
  });
  expect((await tableOf(file, 2)).rows).toEqual([apple, { ...empty, sku: "b", name: "later" }]);
});

test("ids that are not in the data come first, under a name of their own", async () => {
  const file = await writeFile(schemaOf({ _id: "text", id: "integer" }), [{ id: "x", data: { _id: "y", id: 5 } }]);
  expect((await tableOf(file, 1)).rows).toEqual([{ _id: "x", "_id:1": "y", id: 5 }]);
});

test("an export that fails leaves no file", async () => {
  const file = await writeFile(schemaOf({ a: "text" }), []);
  const target = await newFile();
  expect(errorOf(() => exportRevision({ file, revision: 7 }, target))).toMatchObject({ code: "NOT_FOUND" });
  expect(await readdir(dirname(target))).toEqual([]);
});
