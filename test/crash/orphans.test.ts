import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { hostsOf, isAlive } from "../support/host-processes.ts";
import { type SpawnedServer, spawnTestServer } from "../support/server.ts";
import { call, readRun, upload } from "./client.ts";

let dir: DataDir;
let server: SpawnedServer | null = null;

beforeEach(async () => {
  dir = await makeDataDir();
});
afterEach(async () => {
  await server?.kill();
  server = null;
  await dir.remove();
});

const SCRIPTS = {
  stuck: "export async function execute() { return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1); }",
  spin: "export async function execute() { for (;;); }",
};

test.each(["stuck", "spin"])("a host in the middle of %s dies with its server", async (ref) => {
  server = await spawnTestServer(dir.path, { WEFT_LIMIT_TURN_MS: "60000", WEFT_LIMIT_CPU_MS: "60000" });
  await upload(server.url, SCRIPTS);
  const { status } = await call(server.url, ref, { input: {}, background: true });
  expect(status).toBe(202);
  await wait(300);
  const hosts = hostsOf(server.pid);
  expect(hosts.length).toBeGreaterThan(0);
  await server.kill();
  await expect.poll(() => hosts.filter(isAlive)).toEqual([]);
});

test("an execution that kills every host it gets fails, also across restarts, and others still run", async () => {
  const settings = { WEFT_LIMIT_TURN_MS: "300" };
  server = await spawnTestServer(dir.path, settings);
  await upload(server.url, { ...SCRIPTS, fine: "export const execute = () => 'fine';" });
  const { json } = await call(server.url, "stuck", { input: {}, background: true });
  const { id } = json as { readonly id: string };
  await wait(150);
  await server.kill();
  server = await spawnTestServer(dir.path, settings);
  const { url } = server;
  expect(await call(url, "fine", { input: {} })).toMatchObject({ status: 200, json: { output: "fine" } });
  await expect.poll(async () => (await readRun(url, id))["status"]).toBe("failed");
  expect(await readRun(url, id)).toMatchObject({ error: { message: expect.stringContaining("CPU time") } });
  expect(await call(url, "fine", { input: {} })).toMatchObject({ status: 200, json: { output: "fine" } });
});
