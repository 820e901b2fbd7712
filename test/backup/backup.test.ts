import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { weft } from "../cli/capture.ts";
import { call, type Json, type Send, sender, upload } from "../http/access/client.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { type SpawnedServer, spawnTestServer, TEST_KEY } from "../support/server.ts";
import { until } from "../support/until.ts";

const WRITER = `export async function execute(ctx) {
  const file = await ctx.files.write("report.txt", "written by " + ctx.input.name);
  return { file: file.id, random: Math.random(), at: Date.now() };
}`;
const WAITER = `export const execute = (ctx) => ctx.waitFor("go", { match: { id: ctx.input.id } });`;

let home: DataDir;
let server: SpawnedServer;
let send: Send;
const path = (name: string) => join(home.path, name);
const backups = () => path("backups");

const cli = (dataDir: string, ...args: readonly string[]) =>
  weft(args, { cwd: home.path, env: { WEFT_URL: server.url, WEFT_API_KEY: TEST_KEY, WEFT_DATA_DIR: path(dataDir) } });

async function start(dataDir: string): Promise<void> {
  server = await spawnTestServer(path(dataDir));
  send = sender(server, TEST_KEY);
}

const statusOf = async (id: string) => (await send("GET", `/api/v1/runs/${id}`)).data["status"];

beforeAll(async () => {
  home = await makeDataDir();
  await mkdir(path("live"), { mode: 0o700 });
  await start("live");
  await upload(send, "writer", WRITER);
  await upload(send, "waiter", WAITER);
  await send("POST", "/api/v1/datastores", { name: "notes", fields: { text: "text" } });
  const csv = await fetch(`${server.url}/api/v1/datastores/notes/import?format=csv&create=true`, {
    method: "POST",
    headers: { authorization: `Bearer ${TEST_KEY}`, "content-type": "application/octet-stream" },
    body: `id,text\n${Array.from({ length: 2_000 }, (_, i) => `${i},record number ${i}`).join("\n")}\n`,
  });
  expect(csv.status).toBeLessThan(300);
  await until(
    async () => (await send("GET", "/api/v1/datastores/notes")).data,
    (data) => Number(data["rows"] ?? data["record_count"] ?? 0) >= 2_000,
  );
});
afterAll(async () => {
  await server.kill();
  await home.remove();
});

test("a backup taken while calls go on is restored elsewhere: runs replay, waits go on, files and records are there", async () => {
  const waiting = String((await call(send, "waiter", { input: { id: 7 }, background: true })).body["id"]);
  await until(
    () => statusOf(waiting),
    (status) => status === "waiting",
  );
  const first = await call(send, "writer", { input: { name: "first" } });
  expect(first.status).toBe(200);
  const runId = String(first.headers.get("x-weft-execution-id") ?? first.body["execution_id"] ?? first.body["id"]);
  let busy = true;
  const load = (async () => {
    for (let i = 0; busy; i++) expect((await call(send, "writer", { input: { name: String(i) } })).status).toBe(200);
  })();
  const taken = await cli("live", "backup", "backups");
  busy = false;
  await load;
  expect(taken).toMatchObject({ code: 0, out: expect.stringMatching(/✓ 20\d\d-\S+Z: \d+ files/) });
  const again = JSON.parse((await cli("live", "backup", "backups", "--json")).out) as Json;
  expect(Number(again["newBytes"])).toBeLessThan(Number(again["bytes"]));
  await server.kill();

  const [newest, oldest] = (await cli("live", "restore", "backups", "--list")).out.trim().split("\n");
  expect(newest).toBe(again["name"]);
  const restored = await cli("restored", "restore", "backups", String(oldest));
  expect(restored).toMatchObject({ code: 0, err: "" });
  expect(readdirSync(path("restored"))).not.toContain("key");
  await start("restored");
  const output = first.body["output"] as Json;
  const { data } = await send("GET", `/api/v1/runs/${runId}`);
  expect(data).toMatchObject({ status: "completed", output });
  const headers = { authorization: `Bearer ${TEST_KEY}` };
  const file = await fetch(`${server.url}/api/v1/files/${output["file"]}/content`, { headers });
  expect(await file.text()).toBe("written by first");
  const found = await send("POST", "/api/v1/datastores/notes/search", { query: "1234", top_k: 1 });
  expect(JSON.stringify(found.body)).toContain("record number 1234");
  await send("POST", "/api/v1/events", { name: "go", data: { id: 7, word: "went on" } });
  await until(
    () => statusOf(waiting),
    (status) => status === "completed",
  );
  expect(await cli("restored", "pull", runId, "--output", "run.jsonl")).toMatchObject({ code: 0 });
  const replayed = await cli("restored", "replay", "run.jsonl");
  expect(replayed).toMatchObject({ code: 0, err: expect.stringContaining("identical") });
  expect(JSON.parse(replayed.out)).toEqual(output);
});

test("a stopped server's directory is backed up too, and older backups are forgotten", async () => {
  await server.stop();
  const taken = await cli("restored", "backup", "backups", "--keep", "1", "--without-key", "--json");
  expect(JSON.parse(taken.out)).toMatchObject({ forgotten: 2 });
  expect((await cli("restored", "restore", "backups", "--list")).out.trim().split("\n")).toHaveLength(1);
  const restored = await cli("third", "restore", "backups");
  expect(restored.err).toContain("It has no secrets.key");
  expect(readdirSync(path("third"))).not.toContain("secrets.key");
  await start("third");
  expect((await call(send, "writer", { input: { name: "third" } })).status).toBe(200);
});

test("a directory whose seal key comes from a setting has none to back up", async () => {
  await server.stop();
  const key = readFileSync(join(path("live"), "secrets.key"), "utf8").trim();
  cpSync(path("live"), path("keyless"), { recursive: true });
  rmSync(join(path("keyless"), "secrets.key"));
  const env = { WEFT_URL: server.url, WEFT_API_KEY: TEST_KEY, WEFT_DATA_DIR: path("keyless"), WEFT_SECRETS_KEY: key };
  expect(await weft(["backup", "keyless-backups"], { cwd: home.path, env })).toMatchObject({ code: 0 });
  const restored = await cli("fourth", "restore", "keyless-backups");
  expect(restored).toMatchObject({ code: 0, err: expect.stringContaining("It has no secrets.key") });
  await start("third");
});

test("one backup at a time writes to a directory; what a killed one left is taken over", async () => {
  const lock = join(backups(), "lock");
  writeFileSync(lock, String(process.pid));
  const refused = await cli("third", "backup", "backups");
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(`process ${process.pid}`) });
  expect(readFileSync(lock, "utf8")).toBe(String(process.pid));
  // No process has a number that large.
  writeFileSync(lock, String(2 ** 30));
  // One backup is left, so that every chunk is one of its own: a later test damages any of them.
  expect(await cli("third", "backup", "backups", "--keep", "1")).toMatchObject({ code: 0 });
  expect(readdirSync(backups())).not.toContain("lock");
});

test("nothing is restored from a damaged backup, over a directory that is used, or from nothing", async () => {
  expect((await cli("live", "restore", "backups")).err).toContain("is not empty");
  expect((await cli("fresh", "restore", "empty")).err).toContain("there is no backup in it");
  const folder = join(backups(), "chunks");
  const [name = ""] = readdirSync(folder).filter((one) => readdirSync(join(folder, one)).length > 0);
  const [chunk = ""] = readdirSync(join(folder, name));
  const file = join(folder, name, chunk);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
  const damaged = await cli("fresh", "restore", "backups");
  expect(damaged).toMatchObject({ code: 2, err: expect.stringContaining(`damaged: ${file}`) });
  expect(readdirSync(home.path)).not.toContain("fresh");
  rmSync(file);
  expect((await cli("fresh", "restore", "backups")).err).toContain(`damaged: ${file}`);
});

test("a backup in another directory than the server's, by another key, or into a file is refused", async () => {
  const other = await cli("live", "backup", "other");
  expect(other).toMatchObject({ code: 2, err: expect.stringContaining("keeps its data in") });
  expect(readdirSync(path("other"))).not.toContain("generations");
  const made = await send("POST", "/api/v1/keys", { name: "reader", scopes: ["read"] });
  const env = { WEFT_URL: server.url, WEFT_API_KEY: String(made.data["key"]), WEFT_DATA_DIR: path("third") };
  expect((await weft(["backup", "other"], { cwd: home.path, env })).err).toContain("this needs admin");
  writeFileSync(path("file"), "");
  expect((await cli("third", "backup", "file")).code).not.toBe(0);
  expect((await cli("third", "backup", "backups", "--keep", "0")).err).toContain("--keep: must be");
});
