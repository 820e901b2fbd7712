import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { type SpawnedServer, spawnTestServer, TEST_KEY } from "../support/server.ts";

const MB = 1_000_000;
const INVOKE = "/workflow/chat/completions";
const UPLOAD = "/api/v1/workflows/upload";

let directory: DataDir;
let server: SpawnedServer;
beforeAll(async () => {
  directory = await makeDataDir();
  server = await spawnTestServer(directory.path);
});
afterAll(async () => {
  await server.kill();
  await directory.remove();
});

const residentMb = () => Number(execFileSync("ps", ["-o", "rss=", "-p", String(server.pid)])) / 1_024;

/** Sends `mb` megabytes in pieces without waiting for an answer, as a client that does not listen would. */
async function flood(path: string, mb: number, headers: Readonly<Record<string, string>>) {
  const sending = request(`${server.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${TEST_KEY}`, ...headers },
  });
  // The server closes the connection while the body is still on its way.
  sending.on("error", () => undefined);
  const piece = Buffer.alloc(MB, " ");
  Readable.from(Array.from({ length: mb }, () => piece)).pipe(sending);
  const [answer] = (await once(sending, "response")) as [IncomingMessage];
  const body = JSON.parse(await text(answer)) as {
    readonly error: { readonly code: string; readonly message: string };
  };
  sending.destroy();
  return { status: answer.statusCode, ...body.error };
}

describe("bodies of 100 MB", () => {
  const json = { "content-type": "application/json" };
  const form = { "content-type": "multipart/form-data; boundary=x" };
  test.each([
    ["a call without a length", INVOKE, json],
    ["a call with a length", INVOKE, { ...json, "content-length": String(100 * MB) }],
    ["an upload", UPLOAD, json],
    ["a form", UPLOAD, form],
  ])("%s is refused and costs no memory", async (_, path, headers) => {
    const before = residentMb();
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, residentMb());
    }, 20);
    const answers = await Promise.all(Array.from({ length: 5 }, () => flood(path, 100, headers)));
    clearInterval(watch);
    for (const { status } of answers) expect([400, 413]).toContain(status);
    if (headers !== form) for (const { code } of answers) expect(code).toBe("payload_too_large");
    // Kept whole they would be 500 MB.
    expect(peak - before).toBeLessThan(250);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});

describe("connections that are no help", () => {
  const open = async (...pieces: readonly string[]) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    for (const piece of pieces) socket.write(piece);
    return socket;
  };
  const HEAD = `POST ${INVOKE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TEST_KEY}\r\ncontent-type: application/json\r\n`;

  test("hundreds that send half a request and wait do not keep others from being served", async () => {
    const halves = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        open(i % 2 === 0 ? "POST /v1/chat" : `${HEAD}content-length: 1000\r\n\r\n{"model`),
      ),
    );
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    for (const socket of halves) socket.destroy();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test.each([
    ["two lengths", `${HEAD}content-length: 2\r\ncontent-length: 5\r\n\r\n{}`],
    ["a length and chunks", `${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a negative length", `${HEAD}content-length: -1\r\n\r\n`],
    ["a chunk size that is no number", `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ["line ends in a header", `${HEAD}x-request-id: a\r\n b\u0000\r\n\r\n`],
  ])("%s: refused", async (_, raw) => {
    const socket = await open(raw);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});
