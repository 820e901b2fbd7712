import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

type Json = Readonly<Record<string, unknown>>;

const CSV = `sku,name,price,stock
a1,"Garden hose, green",12.5,3
a2,Garden chair,49,0
a3,Lamp,7.25,12
`;
const DEFINED = "id_field=sku&text_fields=name&filters=price";

let service: Service;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const dataOf = async (response: Response): Promise<Json> => ((await response.json()) as { data: Json }).data;
const path = (name: string, rest = "") => `/api/v1/datastores/${name}${rest}`;

async function startImport(name: string, body: string, query = DEFINED, format = "csv"): Promise<Json> {
  const headers = { "content-type": "application/octet-stream" };
  const at = path(name, `/import?format=${format}&create=true&${query}`);
  const response = await service.send(at, { method: "POST", body, headers });
  const data = await dataOf(response);
  expect(response.status).toBe(202);
  expect(response.headers.get("location")).toBe(data["url"]);
  return data;
}

const ended = (url: unknown) =>
  until(async () => {
    const data = await dataOf(await service.send(String(url)));
    return data["ended_at"] === null ? null : data;
  });

async function importAll(name: string, body = CSV, query?: string, format?: string): Promise<Json> {
  return ended((await startImport(name, body, query, format))["url"]);
}

describe("a datastore", () => {
  test("is made of a file, described and read in every way", async () => {
    const done = await importAll("products");
    expect(done).toMatchObject({ status: "complete", rows: 3, revision: 1, error: null, datastore: "products" });
    const about = await dataOf(await service.send(path("products")));
    expect(about).toMatchObject({ name: "products", rows: 3, revision: 1, id_field: "sku", text_fields: ["name"] });
    expect(about["columns"]).toContainEqual({ name: "price", type: "real", nullable: expect.any(Boolean) });

    const one = await (await service.send(path("products", "/records/a3"))).json();
    expect(one).toEqual({ data: { sku: "a3", name: "Lamp", price: 7.25, stock: 12 }, revision: 1 });
    expect((await service.send(path("products", "/records/zz"))).status).toBe(404);
    const several = await dataOf(await service.post(path("products", "/records/get"), { ids: ["a2", "zz"] }));
    expect(several).toMatchObject([{ sku: "a2" }, null]);

    const hits = await dataOf(await service.post(path("products", "/search"), { query: "garden", top_k: 5 }));
    expect((hits as unknown as readonly Json[]).map(({ id }) => id).toSorted()).toEqual(["a1", "a2"]);
    const count = await (await service.post(path("products", "/count"), { filter: { price: { $lt: 20 } } })).json();
    expect(count).toEqual({ data: 2, revision: 1 });
    const sql = "SELECT sku FROM products WHERE price < ? ORDER BY price";
    expect(await dataOf(await service.post(path("products", "/query"), { sql, params: [20] }))).toEqual({
      columns: ["sku"],
      rows: [{ sku: "a3" }, { sku: "a1" }],
    });
  });

  test("gives its records page by page, all of the revision of the first", async () => {
    await importAll("paged");
    const first = (await (await service.send(path("paged", "/records?limit=2"))).json()) as Json;
    expect(first).toMatchObject({ data: [{ id: "a1" }, { id: "a2" }], revision: 1 });
    await service.post(path("paged", "/records"), [{ sku: "a9", name: "New", price: 1, stock: 1 }]);
    const rest = await (await service.send(path("paged", `/records?limit=2&cursor=${first["next_cursor"]}`))).json();
    expect(rest).toMatchObject({ data: [{ id: "a3" }], revision: 1, next_cursor: null });
    const filter = encodeURIComponent('{"stock":{"$gt":2}}');
    expect(await dataOf(await service.send(path("paged", `/records?filter=${filter}`)))).toHaveLength(2);
    expect((await service.send(path("paged", "/records?cursor=x"))).status).toBe(400);
  });

  test("changes record by record, each a revision; a deleted one is gone", async () => {
    await importAll("changed");
    const lines = '{"sku":"a1","name":"Hose","price":1}\n{"sku":"b1","name":"Bench","price":2}\n';
    const headers = { "content-type": "application/x-ndjson" };
    const put = await service.send(path("changed", "/records"), { method: "POST", body: lines, headers });
    expect(await dataOf(put)).toMatchObject({ revision: 2, rows: 4, added: 1, replaced: 1 });
    const removed = await service.send(path("changed", "/records/a2"), { method: "DELETE" });
    expect(await dataOf(removed)).toEqual({ deleted: true, revision: 3, rows: 3 });
    expect((await service.send(path("changed", "/records/a2"), { method: "DELETE" })).status).toBe(404);
    expect(await dataOf(await service.send(path("changed", "/records/a1")))).toMatchObject({
      name: "Hose",
      stock: null,
    });
    const bad = await service.send(path("changed", "/records"), { method: "POST", body: '{"sku":"c"}\n{x', headers });
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({ error: { details: { line: 2 } } });
    expect(await dataOf(await service.send(path("changed")))).toMatchObject({ revision: 3, rows: 3 });
  });

  test("takes its columns from the first records when it was made without a file", async () => {
    const made = await service.post("/api/v1/datastores", { name: "empty", id_field: "id", text_fields: ["text"] });
    expect(await dataOf(made)).toMatchObject({ name: "empty", revision: 0, rows: 0 });
    expect((await service.post("/api/v1/datastores", { name: "empty" })).status).toBe(409);
    expect(await dataOf(await service.post(path("empty", "/search"), { query: "x" }))).toEqual([]);
    expect(await (await service.post(path("empty", "/count"), {})).json()).toEqual({ data: 0, revision: 0 });
    expect((await service.send(path("empty", "/download"))).status).toBe(409);
    const put = await service.post(path("empty", "/records"), [{ id: "1", text: "first words" }]);
    expect(await dataOf(put)).toMatchObject({ revision: 1, rows: 1, added: 1 });
    expect(await dataOf(await service.post(path("empty", "/search"), { query: "words" }))).toHaveLength(1);
  });

  test("has records with ids as long as they may be", async () => {
    const id = "é/".repeat(300);
    await importAll("long-ids", `sku,name\n${id},Long\n`, "id_field=sku");
    const one = await service.send(path("long-ids", `/records/${encodeURIComponent(id)}`));
    expect(await dataOf(one)).toEqual({ sku: id, name: "Long" });
  });

  test("is downloaded as JSON lines, CSV and SQLite", async () => {
    await importAll("out");
    const jsonl = await (await service.send(path("out", "/download"))).text();
    expect(
      jsonl
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).sku),
    ).toEqual(["a1", "a2", "a3"]);
    const csv = await service.send(path("out", "/download?format=csv"));
    expect(csv.headers.get("content-disposition")).toBe('attachment; filename="out.csv"');
    expect(await csv.text()).toContain('a1,"Garden hose, green",12.5,3\r\n');
    const sqlite = Buffer.from(await (await service.send(path("out", "/download?format=sqlite"))).arrayBuffer());
    const db = new DatabaseSync(":memory:");
    db.deserialize(sqlite);
    const row = db.prepare("SELECT * FROM records WHERE sku = 'a1'").get();
    expect({ ...row }).toMatchObject({ sku: "a1", name: "Garden hose, green", price: 12.5 });
    db.close();
  });

  test("is deleted, with whatever was on its way in", async () => {
    await importAll("doomed");
    expect(await dataOf(await service.send(path("doomed"), { method: "DELETE" }))).toEqual({ deleted: true });
    expect((await service.send(path("doomed"))).status).toBe(404);
    const missing = await (await service.send(path("doomed"), { method: "DELETE" })).json();
    expect(missing).toMatchObject({ error: { code: "datastore_not_found" } });
  });
});

describe("an import", () => {
  test("that fails says line and column, and leaves the records of before", async () => {
    await importAll("steady");
    const columns = JSON.stringify({ id_field: "sku", columns: [{ name: "price", type: "real" }] });
    const bad = `sku,price\nx1,1.5\nx2,cheap\n`;
    const failed = await importAll("steady", bad, `definition=${encodeURIComponent(columns)}`);
    expect(failed).toMatchObject({ status: "failed", rows: null, revision: null });
    const error = failed["error"] as Json;
    expect(error["message"]).toMatch(/line 3.*price|price.*line 3/);
    expect(error["details"]).toMatchObject({ line: 3, column: "price" });
    expect(await dataOf(await service.send(path("steady")))).toMatchObject({ revision: 1, rows: 3 });
    const list = (await dataOf(await service.send(path("steady", "/imports")))) as unknown as readonly Json[];
    expect(list.map(({ status }) => status)).toEqual(["failed", "complete"]);
  });

  test("that names no text fields has keyword search all the same; an empty list is none", async () => {
    expect((await importAll("found", CSV, "id_field=sku"))["warnings"]).toEqual([
      'Keyword search looks at "name"; text_fields would name others.',
    ]);
    expect(await dataOf(await service.send(path("found")))).toMatchObject({ text_fields: ["name"] });
    expect(await dataOf(await service.post(path("found", "/search"), { query: "lamp" }))).toMatchObject([{ id: "a3" }]);
    expect(await importAll("found", CSV, "id_field=sku&text_fields=")).toMatchObject({ warnings: [] });
    expect(await dataOf(await service.send(path("found")))).toMatchObject({ text_fields: [] });
    expect((await service.post(path("found", "/search"), { query: "lamp" })).status).toBe(400);
    await service.post("/api/v1/datastores", { name: "first" });
    await service.post(path("first", "/records"), [{ id: "1", text: "red shoes" }]);
    expect(await dataOf(await service.post(path("first", "/search"), { query: "red" }))).toMatchObject([{ id: "1" }]);
  });

  test("whose vectors are made by a model is searched and changed within the daily pools", async () => {
    const vector = { fields: ["name"], dimensions: 8 };
    const definition = encodeURIComponent(JSON.stringify({ id_field: "sku", vector }));
    expect(await importAll("paid", CSV, `definition=${definition}`)).toMatchObject({ status: "complete" });
    const put = (limits: object | null) =>
      service.send("/api/v1/budgets", {
        method: "PUT",
        body: JSON.stringify({ account: limits }),
        headers: { "content-type": "application/json" },
      });
    await put({ calls: 1 });
    const search = () => service.post(path("paid", "/search"), { query: "lamp", mode: "vector" });
    expect((await search()).status).toBe(200);
    const change = () => service.post(path("paid", "/records"), [{ sku: "a4", name: "Bench" }]);
    for (const refused of [await search(), await change()]) {
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({ error: { code: "budget_exceeded", details: { of: "account" } } });
    }
    const failed = await importAll("paid", CSV, `definition=${definition}`);
    expect(failed).toMatchObject({ status: "failed", error: { code: "budget_exceeded" } });
    expect(await dataOf(await service.send(path("paid")))).toMatchObject({ revision: 1, rows: 3 });
    await put(null);
    expect((await change()).status).toBe(200);
  });

  test("may come as a form, whose file name says the format", async () => {
    const form = new FormData();
    form.append("file", new Blob(['{"id":"1","text":"ümlaut"}\n']), "notes.jsonl");
    const response = await service.send(path("formed", "/import?create=true&text_fields=text"), {
      method: "POST",
      body: form,
    });
    expect(response.status).toBe(202);
    expect(await ended((await dataOf(response))["url"])).toMatchObject({
      status: "complete",
      format: "jsonl",
      rows: 1,
    });
  });

  test("of a datastore takes its turn, and the last one is what readers see", async () => {
    const rows = (from: number) => Array.from({ length: 2_000 }, (_, n) => `${from + n},t${from}`).join("\n");
    const [first, second] = await Promise.all([
      startImport("turns", `sku,name\n${rows(0)}`, "id_field=sku"),
      startImport("turns", `sku,name\n${rows(10_000)}`, "id_field=sku"),
    ]);
    const done = await Promise.all([ended(first["url"]), ended(second["url"])]);
    expect(done.map(({ status }) => status)).toEqual(["complete", "complete"]);
    expect(done.map(({ revision }) => revision).toSorted()).toEqual([1, 2]);
    expect(await dataOf(await service.send(path("turns")))).toMatchObject({ revision: 2, rows: 2_000 });
  });

  test("beyond the limit has its answer although the sender goes on, raw or as a form", async () => {
    const small = await startService({ WEFT_LIMIT_MAX_IMPORT_BYTES: "100000" });
    const body = "1,2\n".repeat(500_000);
    const form = new FormData();
    form.append("file", new Blob([body]), "large.csv");
    const raw = { body, headers: { "content-type": "text/csv" } };
    const unknown = { body: new Blob([body]).stream(), headers: { "content-type": "text/csv" }, duplex: "half" };
    for (const init of [raw, unknown, { body: form }]) {
      const at = path("large", "/import?format=csv&create=true");
      const refused = await small.send(at, { method: "POST", ...(init as RequestInit) });
      expect(refused.status).toBe(413);
      expect(await refused.json()).toMatchObject({ error: { details: { limit: "maxImportBytes" } } });
    }
    expect((await small.send(path("large"))).status).toBe(404);
    const upload = new FormData();
    upload.append("workflow_ref_name", "large");
    upload.append("script_file", new Blob(["export const execute = () => 1;"]), "large.ts");
    upload.append("datastore_large", new Blob([body]), "large.csv");
    const attached = await small.send("/api/v1/workflows/upload", { method: "POST", body: upload });
    expect(attached.status).toBe(413);
    expect(small.reported).toEqual([]);
    await small.close();
  });

  test("is refused before its bytes are read when it cannot be done", async () => {
    const post = (name: string, query: string) =>
      service.send(path(name, `/import?${query}`), {
        method: "POST",
        body: CSV,
        headers: { "content-type": "text/csv" },
      });
    expect((await post("nowhere", "format=csv")).status).toBe(404);
    expect((await post("no/name", "format=csv&create=true")).status).toBe(404);
    expect((await post("-x", "format=csv&create=true")).status).toBe(400);
    expect((await post("nowhere", "create=true")).status).toBe(400);
    expect((await post("nowhere", "format=xml&create=true")).status).toBe(400);
    expect((await post("nowhere", "format=csv&create=true&definition={}x")).status).toBe(400);
    const unknown = await post("nowhere", `format=csv&create=true&definition=${encodeURIComponent('{"primary":1}')}`);
    expect(await unknown.json()).toMatchObject({ error: { message: "primary: there is no such field" } });
    expect((await service.send(path("nowhere"))).status).toBe(404);
  });
});

describe("a workflow", () => {
  const SCRIPT = `export async function execute(ctx) {
    const { store } = ctx.input;
    const scanned = [];
    for await (const { id } of ctx.datastore.scan(store, { batch: 2 })) scanned.push(id);
    return {
      one: await ctx.datastore.get(store, "a2"),
      several: await ctx.datastore.get(store, ["a3", "zz"]),
      hits: (await ctx.datastore.search(store, "garden", { top_k: 1 })).length,
      rows: await ctx.datastore.query(store, "SELECT sku FROM records WHERE stock > :n", { n: 2 }),
      count: await ctx.datastore.count(store, { stock: 0 }),
      scanned,
    };
  }`;

  const attach = (form: FormData) => service.send("/api/v1/workflows/upload", { method: "POST", body: form });

  function formOf(ref: string, files: Readonly<Record<string, readonly [content: string, name: string]>>): FormData {
    const form = new FormData();
    form.append("workflow_ref_name", ref);
    form.append("script_file", new Blob([SCRIPT]), "reader.ts");
    for (const [name, [content, file]] of Object.entries(files)) form.append(name, new Blob([content]), file);
    return form;
  }

  const READ = {
    one: { sku: "a2", name: "Garden chair", price: 49, stock: 0 },
    several: [{ sku: "a3", name: "Lamp", price: 7.25, stock: 12 }, null],
    hits: 1,
    rows: [{ sku: "a1" }, { sku: "a3" }],
    count: 1,
    scanned: ["a1", "a2", "a3"],
  };

  test("reads the datastores that come with its upload, and the next version still may", async () => {
    await service.post("/api/v1/datastores", { name: "attached", id_field: "sku", text_fields: ["name"] });
    const upload = await attach(formOf("reader", { datastore_attached: [CSV, "products.csv"] }));
    expect(await dataOf(upload)).toMatchObject({ datastores: ["attached"] });
    const call = await service.invoke("reader", { input: { store: "attached" } });
    expect(((await call.json()) as Json)["output"]).toEqual(READ);
    const next = await service.post("/api/v1/workflows/upload", {
      workflow_ref_name: "reader",
      script: `${SCRIPT}\n// changed`,
    });
    expect(await dataOf(next)).toMatchObject({ datastores: ["attached"] });
  });

  test("is told how to attach a datastore that it may not read", async () => {
    await importAll("apart");
    const call = await service.invoke("reader", { input: { store: "apart" } });
    expect(call.status).toBe(500);
    const { error } = (await call.json()) as { readonly error: Json };
    expect(error["message"]).toContain('"apart" is not attached');
    expect(error["message"]).toContain("weft deploy --datastore apart=<file>");
  });

  test("is not deployed with a file that cannot be imported, nor with a datastore that does not exist", async () => {
    const refused = await attach(formOf("broken", { datastore_broken: ['{"id":1}\n{', "broken.jsonl"] }));
    expect(refused.status).toBe(400);
    expect(((await refused.json()) as { error: Json }).error["message"]).toMatch(/^datastore_broken: .*line 2/);
    expect((await attach(formOf("broken", { datastore_broken: ["x", "broken.xml"] }))).status).toBe(400);
    const named = { workflow_ref_name: "broken", script: SCRIPT, datastores: ["never-made"] };
    const unknown = await service.post("/api/v1/workflows/upload", named);
    expect(await unknown.json()).toMatchObject({ error: { param: "datastores" } });
    expect((await service.send("/api/v1/workflows/broken")).status).toBe(404);
  });
});
