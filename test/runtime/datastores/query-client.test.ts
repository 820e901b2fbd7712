import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { createPointReader } from "../../../runtime/datastores/open-readers.ts";
import { createQueryClient } from "../../../runtime/datastores/query-client.ts";
import type { QueryClient, RevisionRef } from "../../../runtime/datastores/types.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { errorOf, keepDirectory, makeDirectory, schemaOf, whenOver, writeFile } from "./fixture.ts";

const schema = schemaOf(
  { id: "text", text: "text" },
  { idField: "id", textFields: ["text"], vector: { dimensions: 2 } },
);
const record = (id: string, text: string, embedding = [1, 0]) => ({ data: { id, text, embedding } });
const ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
const HUNGRY = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000),
  d AS (SELECT hex(zeroblob(1000000)) || x AS y FROM c) SELECT count(DISTINCT y) FROM d`;

let ref: RevisionRef = { file: "", revision: 1 };
beforeAll(async () => {
  const file = await writeFile(schema, [record("a", "apple"), record("b", "bean", [0, 1])], await keepDirectory());
  ref = { file, revision: 1 };
});

const me = { accountId: "acc_me" };

async function client(limits: Partial<typeof DEFAULT_LIMITS> = {}): Promise<QueryClient> {
  const made = createQueryClient({ limits: { ...DEFAULT_LIMITS, ...limits }, temporary: await makeDirectory() });
  whenOver(() => made.close());
  return made;
}

const sql = (text: string) => ({ name: "store", sql: text });
const failure = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (thrown: unknown) => thrown,
  );

test("every operation is done in a process of its own", { timeout: 60_000 }, async () => {
  const queries = await client();
  expect(JSON.parse(await queries.get(ref, ["b", "zz"], me))).toEqual([{ id: "b", text: "bean" }, null]);
  expect(await queries.count(ref, { text: "apple" }, me)).toBe("1");
  expect(JSON.parse(await queries.scan(ref, { limit: 1 }, me))).toEqual({
    records: [{ id: "a", data: { id: "a", text: "apple" } }],
    after: 1,
  });
  expect(JSON.parse(await queries.search(ref, { query: "bean", fields: [] }, me))).toMatchObject([{ id: "b" }]);
  expect(JSON.parse(await queries.search(ref, { vector: [0, 1], top_k: 1, fields: [] }, me))).toMatchObject([
    { id: "b" },
  ]);
  expect(JSON.parse(await queries.query(ref, sql("SELECT id FROM store"), me)).rows).toEqual([
    { id: "a" },
    { id: "b" },
  ]);
  expect(await queries.describe(ref, me)).toMatchObject({ rows: 2, schema });
});

test("changes are durable when they are answered, and copied on demand", { timeout: 60_000 }, async () => {
  const queries = await client();
  const file = await writeFile(schema, [record("a", "apple")]);
  const upserted = await queries.upsert(
    file,
    2,
    [{ data: { id: "n", text: "new" }, vector: new Float32Array([0, 1]) }],
    me,
  );
  expect(upserted).toMatchObject({ rows: 2, added: 1 });
  expect(await queries.remove(file, 3, ["a"], me)).toMatchObject({ rows: 1, removed: 1 });
  expect(JSON.parse(await queries.search({ file, revision: 3 }, { vector: [0, 1], fields: [] }, me))).toMatchObject([
    { id: "n" },
  ]);
  const target = join(dirname(file), "2.db");
  expect(await queries.copy({ file, revision: 3 }, target, me)).toMatchObject({ rows: 1, deadRows: 0 });
  expect(existsSync(target)).toBe(true);
  expect(await failure(queries.upsert(file, 4, [record("x", "x"), { data: { id: 5 } }], me))).toMatchObject({
    code: "INVALID_REQUEST",
    message: "record 2: id: must be text, got 5",
  });
});

describe("what never ends", () => {
  test("is stopped at the time limit, and others go on", { timeout: 60_000 }, async () => {
    const queries = await client({ datastoreMs: 700 });
    const endless = Array.from({ length: 3 }, () => failure(queries.query(ref, sql(ENDLESS), me)));
    expect(await queries.count(ref, undefined, me)).toBe("2");
    for (const error of await Promise.all(endless))
      expect(error).toMatchObject({
        code: "LIMIT_EXCEEDED",
        message: "datastore: time in ms: over the limit datastoreMs of 700",
      });
    expect(JSON.parse(await queries.query(ref, sql("SELECT count(*) AS n FROM records"), me)).rows).toEqual([{ n: 2 }]);
  });

  test("is stopped when nobody waits for it any more", { timeout: 60_000 }, async () => {
    const queries = await client({ datastoreMs: 600_000 });
    const controller = new AbortController();
    const asking = { ...me, signal: controller.signal };
    const endless = Array.from({ length: 5 }, () => failure(queries.query(ref, sql(ENDLESS), asking)));
    await queries.count(ref, undefined, me);
    controller.abort();
    for (const error of await Promise.all(endless)) expect(error).toMatchObject({ code: "EXECUTION_CANCELLED" });
    expect(await failure(queries.count(ref, undefined, asking))).toMatchObject({ code: "EXECUTION_CANCELLED" });
    expect(JSON.parse(await queries.query(ref, sql("SELECT 1 AS a"), me)).rows).toEqual([{ a: 1 }]);
  });

  test("is stopped by the end of the client", { timeout: 60_000 }, async () => {
    const queries = await client({ datastoreMs: 600_000 });
    const endless = Array.from({ length: 4 }, () => failure(queries.query(ref, sql(ENDLESS), me)));
    await queries.count(ref, undefined, me);
    await queries.close();
    for (const error of await Promise.all(endless)) expect(error).toMatchObject({ code: "STOPPING" });
    expect(await failure(queries.count(ref, undefined, me))).toMatchObject({ code: "STOPPING" });
  });
});

test.runIf(process.platform === "linux")(
  "a query that takes too much memory fails alone",
  { timeout: 60_000 },
  async () => {
    const queries = await client({ datastoreMemoryMb: 64, datastoreMs: 60_000 });
    expect(await failure(queries.query(ref, sql(HUNGRY), me))).toMatchObject({
      code: "LIMIT_EXCEEDED",
      details: { limit: "datastoreMemoryMb", max: 64 },
    });
    expect(JSON.parse(await queries.query(ref, sql("SELECT 1 AS a"), me)).rows).toEqual([{ a: 1 }]);
  },
);

test("accounts take turns", { timeout: 60_000 }, async () => {
  const queries = await client();
  const order: string[] = [];
  const ask = async (accountId: string) => {
    await queries.query(ref, sql("SELECT 1"), { accountId });
    order.push(accountId);
  };
  await Promise.all([...Array.from({ length: 40 }, () => ask("acc_many")), ask("acc_few")]);
  expect(order.indexOf("acc_few")).toBeLessThan(20);
});

test("an account that asks for too much at once is told so", { timeout: 60_000 }, async () => {
  const queries = await client();
  const all = Array.from({ length: 400 }, () => failure(queries.query(ref, sql("SELECT 1"), me)));
  const other = queries.query(ref, sql("SELECT 1 AS a"), { accountId: "acc_other" });
  const errors = (await Promise.all(all)).filter((error) => error !== null);
  expect(errors.length).toBeGreaterThan(100);
  expect(errors[0]).toMatchObject({ code: "OVERLOADED", details: { limit: 250 } });
  expect(JSON.parse(await other).rows).toEqual([{ a: 1 }]);
});

test("errors cross the processes as they are, bugs of ours with their reason hidden", { timeout: 60_000 }, async () => {
  const queries = await client();
  expect(await failure(queries.count({ ...ref, revision: 9 }, undefined, me))).toMatchObject({ code: "NOT_FOUND" });
  expect(await failure(queries.search(ref, { query: "a", top_k: 0 }, me))).toMatchObject({ code: "INVALID_ARGUMENT" });
  const damaged = join(await makeDirectory(), "1.db");
  await promisify(execFile)("sh", ["-c", `printf 'not a database, %05000d' 1 > ${damaged}`]);
  const error = await failure(queries.count({ file: damaged, revision: 1 }, undefined, me));
  expect(error).toMatchObject({
    code: "INTERNAL",
    message: "An internal error occurred.",
    cause: { message: /not a database/ },
  });
});

test.each(["", "await queries.close();"])(
  "a program that has its answers ends: %s",
  { timeout: 60_000 },
  async (last) => {
    const program = `
    import { createQueryClient } from "./query-client.ts";
    process.on("exit", (code) => console.log("exit", code));
    const queries = createQueryClient({ limits: ${JSON.stringify(DEFAULT_LIMITS)}, temporary: "/tmp" });
    console.log(await queries.count(${JSON.stringify(ref)}, undefined, { accountId: "a" }));
    ${last}`;
    const cwd = join(import.meta.dirname, "../../../runtime/datastores");
    const args = ["--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 50_000 });
    expect(stdout).toBe("2\nexit 0\n");
  },
);

test("point reads need no process", () => {
  const points = createPointReader(DEFAULT_LIMITS);
  whenOver(() => points.close());
  expect(points.get(ref, ["a", "zz", "a"])).toEqual(['{"id":"a","text":"apple"}', null, '{"id":"a","text":"apple"}']);
  expect(errorOf(() => points.get({ ...ref, revision: 2 }, ["a"]))).toMatchObject({ code: "NOT_FOUND" });
});
