import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOutbound, type OutboundRequest } from "../../runtime/egress/outbound.ts";
import { fail } from "../../runtime/errors.ts";

const outbound = createOutbound({ allowPrivate: ["127.0.0.0/8"] });
const guarded = createOutbound({
  allowPrivate: [],
  resolve: async () => [{ address: "10.0.0.1", family: 4 }],
});
let server: Server;
let url = "";
let requests = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests++;
    let body = "";
    request.on("data", (piece) => {
      body += String(piece);
    });
    request.on("end", () => {
      if (request.url === "/redirect") return void response.writeHead(302, { location: "/echo" }).end();
      if (request.url === "/busy") return void response.writeHead(503, { "retry-after": "7" }).end("later");
      if (request.url === "/long") return void response.end("x".repeat(1_000_000));
      if (request.url === "/never") return;
      if (request.url === "/endless") return void response.write("first");
      response.end(`${request.method} ${request.headers["webhook-id"]} ${body}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await Promise.all([outbound.close(), guarded.close()]);
  server.closeAllConnections();
  server.close();
});

const post = (path: string, more: Partial<OutboundRequest> = {}) =>
  outbound.post({
    url: `${url}${path}`,
    headers: { "webhook-id": "msg_1" },
    body: "{}",
    timeoutMs: 5_000,
    maxAnswerBytes: 1_024,
    signal: new AbortController().signal,
    ...more,
  });

test("sends headers and body, and reads the beginning of any answer", async () => {
  expect(await post("/echo")).toEqual({ status: 200, retryAfterMs: null, text: "POST msg_1 {}" });
  expect(await post("/busy")).toEqual({ status: 503, retryAfterMs: 7_000, text: "later" });
  expect((await post("/long")).text).toBe("x".repeat(1_024));
});

test("follows no redirect", async () => {
  const before = requests;
  expect(await post("/redirect")).toMatchObject({ status: 302 });
  expect(requests).toBe(before + 1);
});

test.each(["/never", "/endless"])("%s ends at the timeout, also in the middle of the answer", async (path) => {
  await expect(post(path, { timeoutMs: 100 })).rejects.toMatchObject({
    code: "UPSTREAM_TIMEOUT",
    message: expect.stringContaining("100 ms"),
  });
});

test("ends with the reason of its signal", async () => {
  const ending = new AbortController();
  setTimeout(() => ending.abort(fail("STOPPING")), 20);
  await expect(post("/never", { signal: ending.signal })).rejects.toMatchObject({ code: "STOPPING" });
});

test("a refused connection is an error of the upstream", async () => {
  await expect(post("", { url: "http://127.0.0.1:1/" })).rejects.toMatchObject({ code: "UPSTREAM_FAILED" });
});

describe("addresses that must not be reached are refused", () => {
  test.each([
    ["ftp://example.com/", "CAPABILITY_DENIED"],
    ["https://user:pass@example.com/", "CAPABILITY_DENIED"],
    ["http://169.254.169.254/latest", "CAPABILITY_DENIED"],
    ["http://[::1]/", "CAPABILITY_DENIED"],
    ["http://intranet/", "CAPABILITY_DENIED"],
    ["nothing", "INVALID_ARGUMENT"],
  ])("%s", async (target, code) => {
    expect(() => guarded.check(target)).toThrow(expect.objectContaining({ code }));
  });

  test("by what a name leads to, when it is sent", async () => {
    guarded.check("https://looks-public.example.com/");
    const request = {
      headers: {},
      body: "",
      timeoutMs: 1_000,
      maxAnswerBytes: 1,
      signal: new AbortController().signal,
    };
    await expect(guarded.post({ ...request, url: "https://looks-public.example.com/" })).rejects.toMatchObject({
      code: "CAPABILITY_DENIED",
    });
  });
});
