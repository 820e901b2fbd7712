import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLateRequests, type LateRequests } from "../../src/http/late-requests.ts";
import { until } from "../support/until.ts";

const MINUTE_MS = 60_000;
const LOOK_MS = 5_000;

let server: Server;
let watch: LateRequests;
let late: IncomingMessage[];
const sockets: Socket[] = [];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  late = [];
  watch = createLateRequests((request) => late.push(request));
  server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(() => {
  watch.close();
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

/** Sends the head of a request with a body of ten bytes and some of them; resolves to what the server sees. */
async function begin(path: string, body: string): Promise<{ request: IncomingMessage; socket: Socket }> {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  const seen = once(server, "request");
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n${body}`);
  const [request] = (await seen) as [IncomingMessage];
  request.resume();
  return { request, socket };
}

test("a body that stops coming is late after five minutes, and told once", async () => {
  const { request } = await begin("/", "12345");
  watch.watch(request, false);
  vi.advanceTimersByTime(5 * MINUTE_MS - LOOK_MS);
  expect(late).toEqual([]);
  vi.advanceTimersByTime(2 * LOOK_MS);
  expect(late).toEqual([request]);
  vi.advanceTimersByTime(60 * MINUTE_MS);
  expect(late).toHaveLength(1);
});

test("a body that has arrived is never late, however long its answer takes", async () => {
  const { request, socket } = await begin("/", "12345");
  watch.watch(request, false);
  socket.write("67890");
  await until(() => request.complete);
  vi.advanceTimersByTime(60 * MINUTE_MS);
  expect(late).toEqual([]);
});

test("a request whose caller has left is never late", async () => {
  const { request, socket } = await begin("/", "12345");
  watch.watch(request, false);
  socket.destroy();
  await until(() => request.destroyed);
  vi.advanceTimersByTime(60 * MINUTE_MS);
  expect(late).toEqual([]);
});

test("a long body may take any time while bytes come, and is late a minute after the last ones", async () => {
  const { request, socket } = await begin("/", "1");
  watch.watch(request, true);
  for (const byte of "2345") {
    vi.advanceTimersByTime(MINUTE_MS - 2 * LOOK_MS);
    const before = request.socket.bytesRead;
    socket.write(byte);
    await until(() => request.socket.bytesRead > before);
    vi.advanceTimersByTime(LOOK_MS);
  }
  expect(late).toEqual([]);
  vi.advanceTimersByTime(MINUTE_MS + LOOK_MS);
  expect(late).toEqual([request]);
});

test("what still comes of a request that was answered early has five minutes from then on, though it was a long one", async () => {
  const { request, socket } = await begin("/", "1");
  watch.watch(request, true);
  vi.advanceTimersByTime(LOOK_MS);
  watch.answered(request);
  socket.write("2");
  vi.advanceTimersByTime(5 * MINUTE_MS - LOOK_MS);
  expect(late).toEqual([]);
  vi.advanceTimersByTime(2 * LOOK_MS);
  expect(late).toEqual([request]);
});
