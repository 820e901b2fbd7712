import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEgressClient, type EgressClient } from "../../runtime/egress/client.ts";
import { rejectionOf } from "../support/thrown.ts";

/** What the service sends, again and again, as fast as it is read, once it was asked for a path; `first` goes before. */
interface Endless {
  readonly first: string;
  readonly more: string;
  /** `details.reason` of the error, or its code when the network is not to blame. */
  readonly ends: string;
}

const ENDLESS: Readonly<Record<string, Endless>> = {
  headers: { first: "HTTP/1.1 200 OK\r\n", more: `x-many: ${"x".repeat(500)}\r\n`, ends: "UND_ERR_HEADERS_OVERFLOW" },
  "one header": { first: "HTTP/1.1 200 OK\r\nx-long: ", more: "x".repeat(4_096), ends: "UND_ERR_HEADERS_OVERFLOW" },
  "status line": { first: "HTTP/1.1 200 ", more: "x".repeat(4_096), ends: "UPSTREAM_TIMEOUT" },
  continues: { first: "", more: "HTTP/1.1 100 Continue\r\n\r\n".repeat(100), ends: "HPE_UNASKED" },
  "early hints": {
    first: "",
    more: "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n".repeat(50),
    ends: "HPE_HINTS",
  },
  trailers: {
    first: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
    more: "x-trailer: y\r\n",
    ends: "UND_ERR_HEADERS_OVERFLOW",
  },
  chunks: {
    first: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    more: "1\r\nx\r\n".repeat(500),
    ends: "LIMIT_EXCEEDED",
  },
  "chunk extension": {
    first: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
    more: "x".repeat(4_096),
    ends: "UPSTREAM_TIMEOUT",
  },
  nonsense: { first: "", more: "no HTTP at all\r\n", ends: "HPE_INVALID" },
};
const TIMEOUT_MS = 1_500;

let server: Server;
let client: EgressClient;
const sockets = new Set<Socket>();
beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.once("data", (data) => {
      const path = decodeURIComponent(data.toString("latin1").split(" ")[1]?.slice(1) ?? "");
      const { first = "", more = "" } = ENDLESS[path] ?? {};
      const pour = () => {
        while (!socket.destroyed && socket.write(more));
        if (!socket.destroyed) socket.once("drain", () => setImmediate(pour));
      };
      socket.write(first);
      pour();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  client = createEgressClient({ allowPrivate: ["127.0.0.1/32"] });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await client.close();
});

test.each(Object.keys(ENDLESS))(
  "a service that sends %s without end is given up, in time and in bounded memory",
  async (path) => {
    const { port } = server.address() as AddressInfo;
    const before = process.memoryUsage();
    const begun = performance.now();
    const error = await rejectionOf(
      client.request({
        ...{ method: "GET", url: `http://127.0.0.1:${port}/${encodeURIComponent(path)}`, headers: {}, body: null },
        ...{ allow: null, redirect: "follow", timeoutMs: TIMEOUT_MS, maxBytes: 100_000 },
        signal: new AbortController().signal,
      }),
    );
    expect(error.code === "UPSTREAM_FAILED" ? error.details["reason"] : error.code).toBe(ENDLESS[path]?.ends);
    expect(performance.now() - begun).toBeLessThan(TIMEOUT_MS + 10_000);
    const after = process.memoryUsage();
    expect(after.rss - before.rss).toBeLessThan(200 * 2 ** 20);
    // It is not read any more.
    await expect.poll(() => sockets.size).toBe(0);
  },
);
