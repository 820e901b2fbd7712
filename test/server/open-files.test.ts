import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, type Send, sender, upload } from "../http/access/client.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { type SpawnedServer, spawnTestServer, TEST_KEY } from "../support/server.ts";
import { until } from "../support/until.ts";

/** Enough to start, and far fewer than are tried. */
const MAX_FILES = 300;
const TRIED = 600;

let home: DataDir;
let server: SpawnedServer;
let send: Send;
beforeAll(async () => {
  home = await makeDataDir();
  server = await spawnTestServer(home.path, {}, MAX_FILES);
  send = sender(server, TEST_KEY);
  await upload(send, "echo", "export const execute = (ctx) => ctx.input;");
});
afterAll(async () => {
  await server.kill();
  await home.remove();
});

test("a server that has no file left to open goes on once some are closed", async () => {
  const { hostname, port } = new URL(server.url);
  const sockets: Socket[] = [];
  let cut = 0;
  for (let i = 0; i < TRIED; i++) {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on("error", () => undefined);
    socket.on("close", () => void cut++);
    sockets.push(socket);
  }
  // It keeps as many as it can and closes the others at once.
  await until(
    () => sockets.filter(({ readyState }) => readyState === "open").length + cut,
    (settled) => settled >= TRIED,
  );
  await until(
    () => cut,
    (closed) => closed >= TRIED - MAX_FILES,
  );
  expect(server.child.exitCode).toBeNull();
  for (const socket of sockets) socket.destroy();
  const answer = await until(
    () => call(send, "echo", { input: { well: true } }).catch(() => null),
    (found) => found?.status === 200,
  );
  expect(answer?.body["output"]).toEqual({ well: true });
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
});
