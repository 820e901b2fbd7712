import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { makeDataDir } from "../support/data-dir.ts";
import { type SpawnedServer, spawnTestServer, TEST_KEY } from "../support/server.ts";
import { until } from "../support/until.ts";

type Json = Readonly<Record<string, unknown>>;

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const send = (server: SpawnedServer, path: string, init: RequestInit = {}) =>
  fetch(`${server.url}/api/v1/datastores${path}`, {
    ...init,
    headers: { authorization: `Bearer ${TEST_KEY}`, ...(init.headers as Readonly<Record<string, string>>) },
  });
const read = async (server: SpawnedServer, path: string): Promise<Json> =>
  ((await (await send(server, path)).json()) as { readonly data: Json }).data;

const ROWS = 60_000;
const rows = (text: string, count: number) =>
  `id,text\n${Array.from({ length: count }, (_, n) => `${n},${text} ${n} ${"word ".repeat(10)}`).join("\n")}\n`;

async function startImport(server: SpawnedServer, body: string): Promise<string> {
  const headers = { "content-type": "text/csv" };
  const path = "/words/import?format=csv&create=true&text_fields=text";
  const response = await send(server, path, { method: "POST", body, headers });
  const { data } = (await response.json()) as { readonly data: Json };
  return String(data["id"]);
}

async function ended(server: SpawnedServer, id: string): Promise<Json> {
  return until(
    () => read(server, `/words/imports/${id}`),
    (data) => data["ended_at"] !== null,
  );
}

async function begin(): Promise<{ readonly dataDir: string; readonly server: SpawnedServer }> {
  const dir = await makeDataDir();
  open.push({ close: dir.remove });
  const server = await spawnTestServer(dir.path);
  open.push({ close: () => server.kill() });
  return { dataDir: dir.path, server };
}

async function again(dataDir: string, server: SpawnedServer): Promise<SpawnedServer> {
  await server.kill();
  const next = await spawnTestServer(dataDir);
  open.push({ close: () => next.kill() });
  return next;
}

test("a server killed in the middle of an import serves the records of before, then the new ones, and leaves no file", async () => {
  const begun = await begin();
  const { dataDir } = begun;
  let { server } = begun;
  expect(await ended(server, await startImport(server, rows("old", 3)))).toMatchObject({ status: "complete" });
  const id = await startImport(server, rows("new", ROWS));
  for (const ms of [30, 250, 120]) {
    await sleep(ms);
    server = await again(dataDir, server);
    const { revision, rows: count } = await read(server, "/words");
    expect([`1 3`, `2 ${ROWS}`]).toContain(`${revision} ${count}`);
    const [first] = (await read(server, "/words/records?limit=1")) as unknown as readonly Json[];
    expect(first?.["data"]).toMatchObject({ id: 0 });
  }
  expect(await ended(server, id)).toMatchObject({ status: "complete", rows: ROWS, revision: 2 });
  expect(await read(server, "/words")).toMatchObject({ revision: 2, rows: ROWS });
  server = await again(dataDir, server);
  expect(readdirSync(join(dataDir, "datastores", "uploads"))).toEqual([]);
  const files = readdirSync(join(dataDir, "datastores"), { recursive: true }).map(String);
  // The file of before stays for a while: executions may be pinned to it.
  expect(files.filter((name) => name.endsWith(".db"))).toHaveLength(2);
  expect(files.filter((name) => name.includes(".part"))).toEqual([]);
});

test("what was acknowledged of single records survives a kill, and a change that was not is whole or not there", async () => {
  const begun = await begin();
  const { dataDir } = begun;
  let { server } = begun;
  await ended(server, await startImport(server, rows("old", 3)));
  let acknowledged = 0;
  const put = async (n: number) => {
    const body = JSON.stringify([
      { id: 1_000 + n, text: `first of ${n}` },
      { id: 2_000 + n, text: `second of ${n}` },
    ]);
    const headers = { "content-type": "application/json" };
    const response = await send(server, "/words/records", { method: "POST", body, headers });
    if (response.ok) acknowledged = n;
  };
  for (let round = 0; round < 3; round++) {
    const writing = (async () => {
      for (let n = acknowledged + 1; ; n++) await put(n);
    })().catch(() => undefined);
    await sleep(200 + 90 * round);
    server = await again(dataDir, server);
    await writing;
    const ids = Array.from({ length: acknowledged + 1 }, (_, n) => [String(1_001 + n), String(2_001 + n)]);
    const init = {
      method: "POST",
      body: JSON.stringify({ ids: ids.flat() }),
      headers: { "content-type": "application/json" },
    };
    const found = (await (await send(server, "/words/records/get", init)).json()) as {
      readonly data: readonly unknown[];
    };
    const there = found.data.map((record) => record !== null);
    expect(there.slice(0, 2 * acknowledged)).toEqual(Array.from({ length: 2 * acknowledged }, () => true));
    expect(there[2 * acknowledged]).toBe(there[2 * acknowledged + 1]);
    if (there.at(-1) === true) acknowledged++;
    expect(await read(server, "/words")).toMatchObject({ rows: 3 + 2 * acknowledged, revision: 1 + acknowledged });
  }
  expect(acknowledged).toBeGreaterThan(0);
});
