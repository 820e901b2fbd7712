import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, TEST_KEY, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

let server: TestServer;
const sockets: Socket[] = [];

beforeAll(async () => {
  server = await startTestServer();
  await post("/api/v1/workflows/upload", {
    workflow_ref_name: "echo",
    script: "export const execute = (ctx) => ctx.input;",
  });
  await post("/api/v1/workflows/upload", { workflow_ref_name: "flood", script: FLOOD });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

const FLOOD = `export async function execute(ctx) {
  const piece = "x".repeat(60_000);
  for (let i = 0; i < 150; i++) { ctx.emit("flood", piece); if (i % 10 === 0) await ctx.sleep(1); }
  return "flooded";
}`;

function post(path: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${TEST_KEY}`, "content-type": "application/json" };
  return fetch(`${server.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

function open(): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => undefined);
  sockets.push(socket);
  return socket;
}

/** What the server answers to bytes until it closes, or nothing more comes; latin1. */
async function answerTo(bytes: string): Promise<string> {
  const socket = open();
  let answer = "";
  let isClosed = false;
  socket.on("data", (data: Buffer) => {
    answer += data.toString("latin1");
  });
  socket.on("close", () => {
    isClosed = true;
  });
  socket.write(Buffer.from(bytes, "latin1"));
  await until(
    () => isClosed || answer.includes("\r\n\r\n"),
    (isThere) => isThere,
  );
  socket.destroy();
  return answer;
}

async function expectBystander(): Promise<void> {
  const response = await post("/workflow/chat/completions", {
    model: "workflow:echo",
    input: { well: true },
    no_cache: true,
  });
  expect(await response.json()).toMatchObject({ output: { well: true } });
}

const PATH = "/workflow/chat/completions";
const HEAD = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TEST_KEY}\r\nContent-Type: application/json\r\n`;
const BODY = '{"model":"workflow:echo","input":1}';

const REQUESTS: Readonly<Record<string, string>> = {
  "two lengths": `${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\n${BODY}`,
  "a length and chunks": `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "chunks in disguise": `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  "a length that is no number": `${HEAD}Content-Length: 5x\r\n\r\n${BODY}`,
  "a negative length": `${HEAD}Content-Length: -5\r\n\r\n${BODY}`,
  "a chunk size that is no number": `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n${BODY}\r\n0\r\n\r\n`,
  "a giant chunk size": `${HEAD}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
  "a header with a line break in it": `${HEAD}X-A: b\nX-C: d\r\r\n\r\n`,
  "a header without a name": `${HEAD}: value\r\n\r\n`,
  "a space before the colon": `${HEAD}Content-Length : 5\r\n\r\n${BODY}`,
  "NUL in the path": `GET /api/v1/runs\0/x HTTP/1.1\r\nHost: x\r\n\r\n`,
  "a path with broken escapes": `GET /api/v1/runs/%zz%f HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TEST_KEY}\r\n\r\n`,
  "a path without end": `GET /${"a".repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  "a thousand headers": `${HEAD}${Array.from({ length: 3_000 }, (_, i) => `X-${i}: y\r\n`).join("")}\r\n`,
  "no method": `\r\n\r\n\r\n:::: \r\n\r\n`,
  "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "another version": `GET / HTTP/9.9\r\nHost: x\r\n\r\n`,
  TLS: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".padEnd(200, "\x01"),
  "a tunnel": "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n",
};

test.each(Object.entries(REQUESTS))(
  "%s is refused without a word of our insides, and others are served",
  async (_name, bytes) => {
    const answer = await answerTo(bytes);
    // Closing without an answer is one, too.
    expect(answer === "" || /^HTTP\/1\.1 (4\d\d|501|505)/.test(answer)).toBe(true);
    expect(answer).not.toMatch(/\bat .*\.(ts|js|mjs):\d+|node:|node_modules|\/src\/|SqliteError/);
    await expectBystander();
  },
);

test("what a proxy would take for a second request is never answered as one", async () => {
  const smuggled = `GET /api/v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TEST_KEY}\r\n\r\n`;
  const answer = await answerTo(`${HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`);
  expect(answer.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(1);
  expect(answer).not.toContain('"data"');
});

test("a target with a host of its own is answered by its path, whatever the host", async () => {
  const answer = await answerTo("GET http://169.254.169.254/livez HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(answer).toMatch(/^HTTP\/1\.1 (200|4\d\d)/);
});

test("a stream that nobody reads holds up neither the run nor others", async () => {
  for (let i = 0; i < 2; i++) {
    const socket = open();
    socket.pause();
    const body = JSON.stringify({ model: "workflow:flood", input: i, stream: true, on_disconnect: "continue" });
    socket.write(`${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`);
  }
  const runs = async () => {
    const headers = { authorization: `Bearer ${TEST_KEY}` };
    const answer = await fetch(`${server.url}/api/v1/runs?workflow=flood`, { headers });
    return ((await answer.json()) as { readonly data: readonly { readonly status: string }[] }).data;
  };
  await until(runs, (all) => all.length === 2 && all.every(({ status }) => status === "completed"));
  await expectBystander();
});
