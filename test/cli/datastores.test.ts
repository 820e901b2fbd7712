import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Captured, type CaptureOptions, weft } from "./capture.ts";

let stub: ModelStub;
let server: TestServer;
let cwd: string;

beforeAll(async () => {
  stub = await startModelStub();
  server = await startTestServer({ OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk" });
  cwd = mkdtempSync(join(tmpdir(), "weft-cli-"));
  writeFileSync(join(cwd, "products.csv"), "sku,name,price\na1,Garden hose,12.5\na2,Lamp,7\n");
});
afterAll(async () => {
  await server.close();
  await stub.close();
  rmSync(cwd, { recursive: true, force: true });
});

function cli(args: readonly string[], more: CaptureOptions = {}): Promise<Captured> {
  return weft(args, { env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey }, cwd, ...more });
}
const run = (...args: readonly string[]) => cli(["datastores", ...args]);
const json = async (...args: readonly string[]) => JSON.parse((await run(...args, "--json")).out) as unknown;

test("import fills a datastore, and it is listed, described and read", async () => {
  expect(await run()).toMatchObject({ code: 0, err: expect.stringContaining("There are no datastores yet") });
  const flags = ["--id-field", "sku", "--text-fields", "name", "--filters", "price"];
  const filled = await run("import", "products", "products.csv", ...flags);
  expect(filled).toMatchObject({ code: 0, out: "✓ products has 2 records, revision 1\n" });
  expect((await run()).out).toMatch(/^name +records +revision +size\nproducts +2 +1 +/);
  const about = await run("describe", "products");
  expect(about.out).toMatch(/^products {2}2 records, revision 1, .*\ncolumn +type +is\n/);
  expect(about.out).toMatch(/\nsku +text +id/);
  expect(about.out).toMatch(/\nname +text +keyword search\n/);
  expect((await run("search", "products", "garden")).out).toMatch(/\na1 +[\d.e-]+ +a1 +Garden hose +12.5\n$/);
  expect((await run("query", "products", "SELECT sku FROM records WHERE price < ?", "10")).out).toBe("sku\na2\n");
  expect(await json("get", "products", "a2")).toEqual({ sku: "a2", name: "Lamp", price: 7 });
  expect(await run("get", "products", "zz")).toMatchObject({ code: 4, err: expect.stringContaining("no record zz") });
});

test("single records are put and deleted, and all are downloaded", async () => {
  const put = await run("put", "products", '{"sku":"a3","name":"Bench","price":80}');
  expect(put).toMatchObject({ code: 0, out: "✓ 1 added, 0 replaced; 3 records, revision 2\n" });
  const list = await cli(["datastores", "put", "products", "-"], { stdin: '[{"sku":"a3","name":"Bank"}]' });
  expect(list.out).toBe("✓ 0 added, 1 replaced; 3 records, revision 3\n");
  expect(await run("delete", "products", "a1", "zz")).toMatchObject({ code: 0, out: "✓ 1 of 2 records are deleted\n" });
  expect((await run("download", "products", "--format", "csv")).out).toContain("a3,Bank,\r\n");
  expect(await run("download", "products", "all.jsonl")).toMatchObject({ code: 0, out: "" });
  expect(readFileSync(join(cwd, "all.jsonl"), "utf8").trim().split("\n")).toHaveLength(2);
});

test("an import that fails says where, and one that is interrupted is cancelled", async () => {
  writeFileSync(join(cwd, "bad.jsonl"), '{"id":"1"}\n{"id":\n');
  const failed = await run("import", "bad", "bad.jsonl");
  expect(failed).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/^✗ jsonl, line 2/) });
  writeFileSync(join(cwd, "all.bin"), "x");
  expect(await run("import", "bad", "nowhere.csv")).toMatchObject({ code: 2 });
  expect(await run("import", "bad", "all.bin")).toMatchObject({
    code: 2,
    err: expect.stringContaining("--format"),
  });

  stub.always({ delayMs: 3_600_000 });
  const interrupt = new AbortController();
  const vector = '{"fields":["name"],"dimensions":3,"model":"embedder"}';
  const importing = cli(["datastores", "import", "slow", "products.csv", "--id-field", "sku", "--vector", vector], {
    signal: interrupt.signal,
  });
  while (stub.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  interrupt.abort();
  expect((await importing).code).toBe(130);
  const { datastores, accountId } = server;
  const [item] = await datastores.imports({ accountId, key: "slow" });
  expect(item?.state.status).toBe("cancelled");
  stub.always({});
});

test("deploy --datastore fills and attaches, and keeps what was attached before", async () => {
  const script = `export const execute = async (ctx) => [
    (await ctx.datastore.search("goods", "garden hose")).length + (await ctx.datastore.count("goods")),
    (await ctx.datastore.get("products", "a2")).name,
  ];`;
  writeFileSync(join(cwd, "counts.ts"), script);
  await run("create", "goods", "--id-field", "sku");
  expect(await cli(["deploy", "counts.ts", "--datastore", "goods=products.csv"])).toMatchObject({ code: 0 });
  expect(await cli(["deploy", "counts.ts", "--datastore", "products"])).toMatchObject({ code: 0 });
  expect(await cli(["run", "counts", "--json"])).toMatchObject({ code: 0 });
  expect(JSON.parse((await cli(["run", "counts", "--json"])).out)).toMatchObject({ output: [3, "Lamp"] });
  expect((await run("create", "plain", "--text-fields", "", "--json")).out).toContain('"text_fields":[]');
  const missing = await cli(["deploy", "counts.ts", "--datastore", "never"]);
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('no datastore "never"') });
});

test("delete without ids takes the datastore away; what cannot be meant is a usage error", async () => {
  expect(await run("delete", "goods")).toMatchObject({ code: 0, out: "✓ goods is deleted\n" });
  expect(await run("describe", "goods")).toMatchObject({ code: 4 });
  for (const args of [["move", "x"], ["import"], ["import", "x"], ["get", "x"], ["put", "x"], ["query", "x"]])
    expect([args, (await run(...args)).code]).toEqual([args, 2]);
});
