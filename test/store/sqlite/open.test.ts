import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, it, vi } from "vitest";
import { MIGRATIONS } from "../../../src/store/sqlite/migrations.ts";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import { execution, LEASE_MS, start, T0, worldOf } from "../fixtures.ts";
import { temporaryDirectory } from "./directory.ts";

const STORE = fileURLToPath(new URL("../../../src/store/sqlite/store.ts", import.meta.url));

function schemaVersion(file: string): unknown {
  const db = new DatabaseSync(file);
  const row = db.prepare("PRAGMA user_version").get();
  db.close();
  return row?.["user_version"];
}

it("makes the directory and brings an empty file to the current schema", async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "deep", "er", "weft.db");
  await (await createSqliteStore({ file, durability: "full" })).close();
  expect(schemaVersion(file)).toBe(MIGRATIONS.length);
  const empty = join(directory, "empty.db");
  writeFileSync(empty, "");
  const store = await createSqliteStore({ file: empty, durability: "relaxed" });
  await start(await worldOf(store));
  await store.close();
  expect(schemaVersion(empty)).toBe(MIGRATIONS.length);
  expect(existsSync(`${empty}-wal`)).toBe(false);
});

it("refuses a store that a newer Weft wrote, and leaves it alone", async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "weft.db");
  const db = new DatabaseSync(file);
  db.exec("PRAGMA user_version = 99; CREATE TABLE later (a)");
  db.close();
  await expect(createSqliteStore({ file, durability: "full" })).rejects.toMatchObject({
    code: "CONFLICT",
    message: `The store in ${directory} has schema version 99; this Weft knows versions up to ${MIGRATIONS.length}. Start a newer Weft.`,
  });
  expect(schemaVersion(file)).toBe(99);
});

it("refuses a file that is not a database", async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "weft.db");
  writeFileSync(file, "this is a text file, and a rather long one. ".repeat(100));
  await expect(createSqliteStore({ file, durability: "full" })).rejects.toMatchObject({
    code: "CONFLICT",
    message: `The store in ${directory} is not a database of Weft.`,
  });
});

it("is refused to a second opener, in this process and in another, until it is closed", async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "weft.db");
  const store = await createSqliteStore({ file, durability: "full" });
  const message = `The store in ${directory} is in use by another server; stop that one, or give this one another data directory.`;
  await expect(createSqliteStore({ file, durability: "full" })).rejects.toMatchObject({ code: "CONFLICT", message });
  const script = `const { createSqliteStore } = await import(${JSON.stringify(STORE)});
    await createSqliteStore({ file: process.argv[1], durability: "full" }).then(() => console.log("opened"), (e) => console.log(e.message));`;
  const other = () =>
    spawnSync(process.execPath, ["--input-type=module", "-e", script, file], { encoding: "utf8" }).stdout.trim();
  expect(other()).toBe(message);
  await store.writeSetting({ name: "still", value: "works" });
  await store.close();
  expect(other()).toBe("opened");
});

it("finishes a deletion that the end of the process interrupted", async () => {
  const file = join(temporaryDirectory(), "weft.db");
  const options = { file, durability: "full" } as const;
  const store = await createSqliteStore(options);
  const world = await worldOf(store);
  await Promise.all(Array.from({ length: 2_500 }, () => start(world)));
  const cut = store.deleteWorkflow({ accountId: world.account.id, workflowId: world.workflow.id });
  const outcome = expect(cut).rejects.toMatchObject({ code: "STOPPING" });
  await store.close();
  await outcome;
  const again = await createSqliteStore(options);
  const list = { accountId: world.account.id, filter: {}, limit: 9, offset: 0, after: null };
  await vi.waitFor(
    async () => expect(await again.listExecutions(list)).toEqual({ items: [], total: 0, next: null }),
    20_000,
  );
  await again.close();
  const db = new DatabaseSync(file);
  for (const table of ["executions", "requests", "counts", "doomed", "workflows"]) {
    expect(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()).toEqual({ n: 0 });
  }
  db.close();
});

it("resolves everything that was called before close", async () => {
  const file = join(temporaryDirectory(), "weft.db");
  const store = await createSqliteStore({ file, durability: "full" });
  const { account, workflow } = await worldOf(store);
  const fresh = execution(workflow);
  const started = store.startExecution({ execution: fresh, startedAt: T0, worker: "w1", leaseMs: LEASE_MS });
  await store.close();
  await store.close();
  await started;
  const again = await createSqliteStore({ file, durability: "full" });
  expect((await again.findExecution({ accountId: account.id, executionId: fresh.id }))?.state).toEqual({
    status: "running",
    startedAt: T0,
  });
  await again.close();
});
