import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { toDiskError } from "../../../runtime/datastores/disk-full.ts";
import { errorOf } from "./fixture.ts";

test("SQLite without room is a full disk, other failures stay what they are", () => {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE t (x); PRAGMA max_page_count = 3");
  const full = errorOf(() => db.exec("INSERT INTO t VALUES (zeroblob(100000))"));
  const other = errorOf(() => db.exec("INSERT INTO nope VALUES (1)"));
  db.close();
  expect(toDiskError(full)).toMatchObject({ code: "OVERLOADED", message: expect.stringContaining("disk is full") });
  expect(toDiskError(Object.assign(new Error("write"), { code: "ENOSPC" }))).toMatchObject({ code: "OVERLOADED" });
  expect(toDiskError(other)).toBe(other);
});
