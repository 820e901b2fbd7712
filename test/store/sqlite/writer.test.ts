import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fail } from "../../../runtime/index.ts";
import { type Database, openDatabase } from "../../../src/store/sqlite/database.ts";
import { Writer } from "../../../src/store/sqlite/writer.ts";
import { temporaryDirectory } from "./directory.ts";

let db: Database;
let writer: Writer;
let rollbacks: number;

beforeEach(() => {
  db = openDatabase(join(temporaryDirectory(), "weft.db"), "full");
  db.exec("CREATE TABLE parents (id INTEGER PRIMARY KEY) STRICT");
  db.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents (id), bytes BLOB) STRICT");
  rollbacks = 0;
  writer = new Writer(db, () => {
    rollbacks += 1;
  });
  return () => {
    writer.close();
    db.close();
  };
});

afterEach(() => expect(db.inTransaction).toBe(false));

const add = (id: number) => writer.write(() => db.run("INSERT INTO rows (id) VALUES (?)", id));
const ids = () => db.all<{ id: number }>("SELECT id FROM rows ORDER BY id").map((row) => row.id);

it("puts all mutations of one turn into one transaction, visible at once", async () => {
  const first = add(1);
  const second = add(2);
  expect(db.inTransaction).toBe(true);
  expect(ids()).toEqual([1, 2]);
  await first;
  expect(db.inTransaction).toBe(false);
  await second;
});

it("undoes the whole of a mutation that throws, and only that", async () => {
  const failing = writer.write(() => {
    db.run("INSERT INTO rows (id) VALUES (10)");
    throw new Error("changed my mind");
  });
  const settled = await Promise.allSettled([add(1), failing, add(1), add(2)]);
  expect(settled.map((one) => one.status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(ids()).toEqual([1, 2]);
  expect(rollbacks).toBe(0);
});

it("undoes an unguarded mutation that SQLite refuses, and only that, also after its first changes", async () => {
  const addUnguarded = (id: number) => writer.writeUnguarded(() => db.run("INSERT INTO rows (id) VALUES (?)", id));
  const failing = (id: number) =>
    writer.writeUnguarded(() => {
      db.run("INSERT INTO rows (id) VALUES (?)", id);
      db.run("INSERT INTO rows (id) VALUES (1)");
    });
  const calls = [add(1), addUnguarded(2), failing(10), addUnguarded(3), failing(11), add(4), addUnguarded(5)];
  expect(ids()).toEqual([1, 2, 3, 4, 5]);
  const settled = await Promise.allSettled(calls);
  const [ok, no] = ["fulfilled", "rejected"];
  expect(settled.map((one) => one.status)).toEqual([ok, ok, no, ok, no, ok, ok]);
  expect(settled[2]).toMatchObject({ reason: { code: "INTERNAL" } });
  expect(ids()).toEqual([1, 2, 3, 4, 5]);
  // What was remembered of the batch was dropped once: the second failure had a savepoint.
  expect(rollbacks).toBe(1);
});

it("a refusal of an unguarded mutation undoes nothing", async () => {
  const refused = writer.writeUnguarded(() => {
    throw fail("CONFLICT");
  });
  const settled = await Promise.allSettled([add(1), refused, add(2)]);
  expect(settled.map((one) => one.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(ids()).toEqual([1, 2]);
  expect(rollbacks).toBe(0);
});

it("rejects every call of a batch whose COMMIT fails, and goes on", async () => {
  await add(1);
  const poisoned = writer.write(() => {
    db.exec("PRAGMA defer_foreign_keys = ON");
    db.run("INSERT INTO rows (id, parent) VALUES (3, 99)");
  });
  const settled = await Promise.allSettled([add(2), poisoned, add(4)]);
  for (const one of settled) expect(one).toMatchObject({ status: "rejected", reason: { code: "INTERNAL" } });
  expect(ids()).toEqual([1]);
  expect(rollbacks).toBe(1);
  await add(5);
  expect(ids()).toEqual([1, 5]);
});

it("goes on after a full disk", async () => {
  await add(1);
  const { page_count: pages } = db.get<{ page_count: number }>("PRAGMA page_count") ?? { page_count: 0 };
  db.exec(`PRAGMA max_page_count = ${pages + 2}`);
  const big = writer.write(() => db.run("INSERT INTO rows (id, bytes) VALUES (2, zeroblob(1000000))"));
  await expect(big).rejects.toMatchObject({ code: "OVERLOADED", message: expect.stringContaining("disk is full") });
  db.exec("PRAGMA max_page_count = 1000000");
  await add(3);
  expect(ids()).toEqual([1, 3]);
});

it("refuses to write once closed, after committing what was pending", async () => {
  const pending = add(1);
  expect(writer.close()).toBe(true);
  expect(writer.close()).toBe(false);
  await pending;
  expect(ids()).toEqual([1]);
  await expect(add(2)).rejects.toMatchObject({ code: "STOPPING" });
});

it("takes no more writes once the disk has failed to keep one", async () => {
  await add(1);
  const flush = vi.spyOn(db, "flush").mockRejectedValueOnce(new Error("EIO: i/o error"));
  await expect(add(2)).rejects.toMatchObject({ code: "INTERNAL" });
  flush.mockRestore();
  await expect(add(3)).rejects.toMatchObject({ code: "INTERNAL" });
  expect(writer.isSound).toBe(false);
  expect(ids()).toEqual([1, 2]);
});

it("rejects the whole batch when what succeeded cannot be done again", async () => {
  await add(1);
  let times = 0;
  const once = writer.write(() => {
    db.run("INSERT INTO rows (id) VALUES (2)");
    if (++times > 1) throw new Error("not again");
  });
  const broken = writer.writeUnguarded(() => {
    db.run("INSERT INTO rows (id) VALUES (3)");
    throw new Error("a bug");
  });
  for (const call of [once, broken]) await expect(call).rejects.toMatchObject({ code: "INTERNAL" });
  await add(4);
  expect(ids()).toEqual([1, 4]);
});
