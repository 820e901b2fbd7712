import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { weft } from "../cli/capture.ts";
import { call, type Json, makeKey, type Send, sender, upload } from "../http/access/client.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { type SpawnedServer, spawnTestServer, TEST_KEY } from "../support/server.ts";
import { until } from "../support/until.ts";

const VALUE = "stored-value-7f3a9c";
const OTHER = "request-value-51d2e8";
const WEBHOOK = "hook-secret-93b0aa";
const SHOW = `export async function execute(ctx) {
  ctx.log("logged " + ctx.secrets.API_KEY, { key: ctx.secrets.API_KEY });
  ctx.emit("said", "emitted " + ctx.secrets.API_KEY);
  if (ctx.input.fails) throw new Error("failed with " + ctx.secrets.API_KEY);
  if (ctx.input.waits) await ctx.waitFor("go", { match: { id: ctx.input.waits } });
  return { length: (ctx.secrets.API_KEY ?? "").length, names: Object.keys(ctx.secrets) };
}`;

let home: DataDir;
let server: SpawnedServer;
let send: Send;
let environment: Record<string, string> = {};

async function start(): Promise<void> {
  server = await spawnTestServer(join(home.path, "data"), environment);
  send = sender(server, TEST_KEY);
}

async function restart(): Promise<void> {
  await server.kill();
  await start();
}

function filesWith(text: string, directory = join(home.path, "data")): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesWith(text, path);
    return entry.isFile() && readFileSync(path).includes(text) ? [path] : [];
  });
}

const run = async (input: Json, more: Json = {}) => (await call(send, "show", { input, ...more })).body["output"];
const cli = (stdin: string, ...args: readonly string[]) =>
  weft(args, {
    stdin,
    env: { WEFT_URL: server.url, WEFT_API_KEY: TEST_KEY, WEFT_DATA_DIR: join(home.path, "data"), FROM: VALUE },
  });

beforeAll(async () => {
  home = await makeDataDir();
  await start();
  expect(await upload(send, "show", SHOW)).toMatchObject({ status: 200 });
});
afterEach(() => {
  for (const value of [VALUE, OTHER, WEBHOOK]) expect([value, filesWith(value)]).toEqual([value, []]);
});
afterAll(async () => {
  await server.kill();
  await home.remove();
});

test("a stored secret reaches runs without their callers, is never shown, and a call's own goes before it", async () => {
  expect(await run({})).toEqual({ length: 0, names: [] });
  expect(await cli(`${VALUE}\n`, "secrets", "set", "API_KEY")).toMatchObject({ code: 0, out: "✓ API_KEY is stored\n" });
  expect(await run({})).toEqual({ length: VALUE.length, names: ["API_KEY"] });
  expect(await run({}, { secrets: { API_KEY: OTHER, MORE: "x" } })).toEqual({
    length: OTHER.length,
    names: ["API_KEY", "MORE"],
  });
  const shown = await send("GET", "/api/v1/secrets/API_KEY");
  expect(shown.data).toEqual({
    name: "API_KEY",
    object: "secret",
    refs: null,
    expose: "value",
    hosts: null,
    created_at: expect.any(Number),
    updated_at: expect.any(Number),
  });
  expect((await cli("", "secrets")).out).toMatch(/API_KEY +all/);
});

test("it is hidden in logs, chunks, errors and traces", async () => {
  const failed = await call(send, "show", { input: { fails: true } });
  expect(failed.status).toBe(500);
  const id = String(
    (await send("GET", "/api/v1/runs?limit=1")).body["data"] === undefined
      ? ""
      : ((await send("GET", "/api/v1/runs?limit=1")).body["data"] as readonly Json[])[0]?.["id"],
  );
  const texts = [JSON.stringify(failed.body)];
  for (const part of ["", "/logs", "/chunks", "/trace", "/recording"]) {
    const headers = { authorization: `Bearer ${TEST_KEY}` };
    texts.push(await (await fetch(`${server.url}/api/v1/runs/${id}${part}`, { headers })).text());
  }
  expect(texts.join("\n")).toContain("logged ");
  expect(texts.join("\n")).not.toContain(VALUE);
});

test("a run that waits goes on with it after a crash; one whose secret was deleted meanwhile says so", async () => {
  const ids: string[] = [];
  for (const waits of [1, 2])
    ids.push(String((await call(send, "show", { input: { waits }, background: true })).body["id"]));
  const status = async (id: string | undefined) => (await send("GET", `/api/v1/runs/${id}`)).data;
  for (const id of ids)
    await until(
      () => status(id),
      (data) => data["status"] === "waiting",
    );
  await restart();
  await send("POST", "/api/v1/events", { name: "go", data: { id: 1 } });
  const first = await until(
    () => status(ids[0]),
    (data) => data["status"] !== "waiting" && data["status"] !== "queued" && data["status"] !== "running",
  );
  expect(first).toMatchObject({ status: "completed", output: { length: VALUE.length } });
  expect((await send("DELETE", "/api/v1/secrets/API_KEY")).status).toBe(200);
  expect((await send("DELETE", "/api/v1/secrets/API_KEY")).status).toBe(404);
  await restart();
  await send("POST", "/api/v1/events", { name: "go", data: { id: 2 } });
  const second = await until(
    () => status(ids[1]),
    (data) => data["status"] === "failed" || data["status"] === "completed",
  );
  expect(second).toMatchObject({ status: "failed", error: { code: "workflow_secrets_lost" } });
});

test("it reaches the workflows that it names, and no other account", async () => {
  await cli("", "secrets", "set", "API_KEY", "--from-env", "FROM", "--ref", "other-*");
  expect(await run({})).toEqual({ length: 0, names: [] });
  await send("PUT", "/api/v1/secrets/API_KEY", { value: VALUE, refs: ["other-*", "show"] });
  expect(await run({})).toEqual({ length: VALUE.length, names: ["API_KEY"] });
  const made = await send("POST", "/api/v1/accounts", { name: "team" });
  const team = sender(server, String((made.data["key"] as Json)["key"]));
  await upload(team, "show", SHOW);
  expect((await call(team, "show", { input: {} })).body["output"]).toEqual({ length: 0, names: [] });
  expect((await team("GET", "/api/v1/secrets")).body["data"]).toEqual([]);
  expect((await team("GET", "/api/v1/secrets/API_KEY")).status).toBe(404);
  expect((await team("DELETE", "/api/v1/secrets/API_KEY")).status).toBe(404);
  const limited = sender(server, await makeKey(send, { name: "limited", scopes: ["deploy", "read"], refs: ["show"] }));
  expect((await limited("PUT", "/api/v1/secrets/X", { value: "x" })).status).toBe(403);
});

test("results of other values are not shared, and no value is behind a stored cache key", async () => {
  await send("PUT", "/api/v1/secrets/API_KEY", { value: VALUE, refs: null });
  const cached = (more: Json = {}) =>
    send("POST", "/workflow/chat/completions", { model: "workflow:show", input: { n: 1 }, ...more });
  expect((await cached()).body["output"]).toMatchObject({ length: VALUE.length });
  expect((await cached()).headers.get("x-weft-cache")).toBe("hit");
  await send("PUT", "/api/v1/secrets/API_KEY", { value: `${VALUE}-longer` });
  const other = await cached();
  expect(other.headers.get("x-weft-cache")).not.toBe("hit");
  expect(other.body["output"]).toMatchObject({ length: VALUE.length + 7 });
  await send("PUT", "/api/v1/secrets/API_KEY", { value: VALUE });
});

test("the secret of a graph's webhook is sealed too, and everything is sealed anew after the key was rotated", async () => {
  const graph = {
    blocks: [
      { id: "hook", type: "webhook", config: { webhook_secret: WEBHOOK } },
      { id: "out", type: "code", config: { code: "return 1" } },
    ],
    edges: [{ source: "hook", target: "out" }],
  };
  const made = await send("POST", "/api/workflows", { name: "hooked" });
  const id = String(made.body["id"]);
  const saved = await send("PUT", `/api/workflows/${id}/graph`, graph);
  expect(saved.status).toBe(200);
  const shown = async () => JSON.stringify((await send("GET", `/api/workflows/${id}`)).body);
  expect(await shown()).toContain(WEBHOOK);
  const key = () =>
    readFileSync(join(home.path, "data", "secrets.key"), "utf8")
      .trim()
      .split("\n");
  expect((await cli("", "secrets", "rotate-key")).out).toContain("2 in all");
  await restart();
  const [newest = ""] = key();
  await server.kill();
  environment = { WEFT_SECRETS_KEY: newest };
  await start();
  expect(await run({})).toEqual({ length: VALUE.length, names: ["API_KEY"] });
  expect(await shown()).toContain(WEBHOOK);
});

test("another key is refused by name; started with it all the same, nothing is lost and what needs the secret says why", async () => {
  const [right] = [environment["WEFT_SECRETS_KEY"] ?? ""];
  environment = { WEFT_SECRETS_KEY: randomBytes(32).toString("base64") };
  await expect(restart()).rejects.toThrow();
  environment = { ...environment, WEFT_SECRETS_LOST: "keep" };
  await start();
  const refused = await call(send, "show", { input: {} });
  expect(refused.status).toBe(409);
  expect(JSON.stringify(refused.body)).toContain("the key that it was sealed with is gone");
  environment = { WEFT_SECRETS_KEY: right };
  await restart();
  expect(await run({})).toEqual({ length: VALUE.length, names: ["API_KEY"] });
});

test("a handle is set over the API and the command line, and scripts have a text instead of its value", async () => {
  const set = async (...args: string[]) => (await cli(VALUE, "secrets", "set", "API_KEY", ...args)).code;
  const hosts = ["api.example.com", "*.example.org:8443"];
  expect(await set(...hosts.flatMap((host) => ["--host", host.toUpperCase()]))).toBe(0);
  const handle = { expose: "handle", hosts };
  expect((await send("GET", "/api/v1/secrets/API_KEY")).data).toMatchObject(handle);
  expect((await cli("", "secrets")).out).toMatch(/API_KEY +all +api\.example\.com \*\.example\.org:8443/);
  expect(await run({})).toMatchObject({ length: "weft_secret_".length + 32 });
  // It stays one when its value is given anew.
  expect((await send("PUT", "/api/v1/secrets/API_KEY", { value: VALUE })).data).toMatchObject(handle);
  for (const body of [
    { value: VALUE, expose: "value", hosts },
    { value: VALUE, expose: "handle" },
    { value: VALUE, hosts: ["https://example.com/"] },
    { value: "short", expose: "value" },
  ])
    expect((await send("PUT", "/api/v1/secrets/API_KEY", body)).status).toBe(400);
  expect(await set("--host", "none")).toBe(0);
  expect(await run({})).toMatchObject({ length: VALUE.length });
});

test("bad input names the field", async () => {
  expect(JSON.stringify((await send("PUT", "/api/v1/secrets/1BAD", { value: "x" })).body)).toContain("name: ");
  expect(JSON.stringify((await send("PUT", "/api/v1/secrets/A", {})).body)).toContain("value: is required");
  const large = await send("PUT", "/api/v1/secrets/A", { value: "x".repeat(33_000) });
  expect(JSON.stringify(large.body)).toContain("33000 bytes, over 32768");
  expect((await cli("", "secrets", "set", "A")).err).toContain("there is no value in stdin");
  expect((await cli("", "secrets", "delete", "A")).err).toContain("no secret named");
});
