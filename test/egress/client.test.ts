import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createEgressClient, type EgressClient, type EgressRequest } from "../../runtime/egress/client.ts";
import type { ResolvedAddress } from "../../runtime/egress/guard.ts";
import { createOutbound } from "../../runtime/egress/outbound.ts";
import { fail } from "../../runtime/errors.ts";
import { startWebStub, type WebStub } from "./upstream.ts";

let web: WebStub;
let other: WebStub;
const clients: EgressClient[] = [];

const compressed: Readonly<Record<string, (text: string) => Uint8Array>> = {
  gzip: gzipSync,
  br: brotliCompressSync,
  deflate: deflateSync,
  "raw-deflate": deflateRawSync,
  zstd: zstdCompressSync,
};

beforeAll(async () => {
  other = await startWebStub((request, response) => response.end(JSON.stringify(request.headers)));
  web = await startWebStub((request, response) => {
    const url = new URL(request.url ?? "/", "http://stub");
    const [, kind = "", argument = ""] = url.pathname.split("/");
    if (kind === "redirect") {
      response.writeHead(Number(argument), { location: url.searchParams.get("to") ?? "" }).end("moved");
    } else if (kind === "loop") response.writeHead(302, { location: "/loop" }).end();
    else if (kind === "encoded") {
      const encoding = argument === "raw-deflate" ? "deflate" : argument;
      response.writeHead(200, { "content-encoding": encoding }).end(compressed[argument]?.("hello ".repeat(1000)));
    } else if (kind === "twice") {
      response.writeHead(200, { "content-encoding": "gzip, br" }).end(brotliCompressSync(gzipSync("twice")));
    } else if (kind === "bomb") {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(50_000_000)));
    } else if (kind === "damaged") response.writeHead(200, { "content-encoding": "gzip" }).end("this is not gzip");
    else if (kind === "unknown") response.writeHead(200, { "content-encoding": "lzma" }).end("x");
    else if (kind === "length") response.writeHead(200, { "content-length": argument }).end();
    else if (kind === "bytes") response.end(Buffer.alloc(Number(argument)));
    else if (kind === "chunked") {
      response.write(Buffer.alloc(600));
      setTimeout(() => response.end(Buffer.alloc(600)), 5);
    } else if (kind === "hang") response.writeHead(200).write("a part");
    else if (kind === "silent") request.socket.pause();
    else if (kind === "cut") response.destroy();
    else response.writeHead(200, { "set-cookie": ["a=1", "b=2"] }).end(JSON.stringify(request.headers));
  });
});

afterAll(async () => {
  await web.close();
  await other.close();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

function client(options: Partial<Parameters<typeof createEgressClient>[0]> = {}): EgressClient {
  const made = createEgressClient({ allowPrivate: ["127.0.0.1/32"], ...options });
  clients.push(made);
  return made;
}

const ask = (url: string, more: Partial<EgressRequest> = {}): EgressRequest => ({
  method: "GET",
  url,
  headers: {},
  body: null,
  allow: null,
  redirect: "follow",
  timeoutMs: 10_000,
  maxBytes: 1_000_000,
  signal: new AbortController().signal,
  ...more,
});

const textOf = ({ body }: { readonly body: Uint8Array }) => Buffer.from(body).toString("utf8");

describe("refusals", () => {
  test.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://169.254.169.254/latest/meta-data",
    "http://168.63.129.16/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://sub.localhost/",
    "http://metadata.google.internal/",
    "http://router/",
  ])("%s is denied before anything is sent", async (url) => {
    const strict = client({ allowPrivate: [], resolve: () => Promise.reject(new Error("must not be asked")) });
    await expect(strict.request(ask(url))).rejects.toMatchObject({ code: "CAPABILITY_DENIED" });
  });

  test("a name is denied when one of its addresses is private, without telling which", async () => {
    const resolve = async () => [
      { address: "93.184.216.34", family: 4 },
      { address: "10.11.12.13", family: 4 },
    ];
    const error = await client({ resolve })
      .request(ask("http://mixed.example.com/"))
      .catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ code: "CAPABILITY_DENIED", details: { reason: "private" } });
    expect((error as Error).message).not.toContain("10.11.12.13");
  });

  test("a resolver that changes its answer is asked once per connection, and that answer is the one connected to", async () => {
    const answers: ResolvedAddress[] = [
      { address: "127.0.0.1", family: 4 },
      { address: "127.0.0.2", family: 4 },
    ];
    let asked = 0;
    const resolve = async () => [answers[Math.min(asked++, 1)] as ResolvedAddress];
    const first = client({ resolve });
    expect((await first.request(ask(`http://rebind.example.com:${web.port}/`))).status).toBe(200);
    expect(asked).toBe(1);
    await expect(client({ resolve }).request(ask(`http://rebind.example.com:${web.port}/`))).rejects.toMatchObject({
      code: "CAPABILITY_DENIED",
    });
  });

  test("localhost is reached only where the operator opened loopback", async () => {
    expect((await client().request(ask(`http://localhost:${web.port}/`))).status).toBe(200);
  });

  test("hosts outside of the server's allow-list are denied to whoever asks, redirects included", async () => {
    const allowHosts = [`127.0.0.1:${web.port}`, "*.listed.example:443"];
    const bounded = client({ allowHosts });
    expect((await bounded.request(ask(`${web.url}/`))).status).toBe(200);
    const redirect = `${web.url}/redirect/302?to=${encodeURIComponent(other.url)}`;
    const urls = [other.url, "http://other.example/", "http://x.listed.example/", "https://listed.example/", redirect];
    for (const url of urls) {
      const denied = { code: "CAPABILITY_DENIED", message: expect.stringContaining("WEFT_HTTP_ALLOW_HOSTS") };
      await expect(bounded.request(ask(url))).rejects.toMatchObject(denied);
    }
    const outbound = createOutbound({ allowPrivate: [], allowHosts });
    expect(() => outbound.check("https://hooks.other.example/")).toThrow("WEFT_HTTP_ALLOW_HOSTS");
    outbound.check("https://hooks.listed.example/");
    await outbound.close();
  });

  test("hosts outside the workflow's allow-list are denied, redirects included", async () => {
    const allow = [`127.0.0.1:${web.port}`];
    expect((await client().request(ask(`${web.url}/`, { allow }))).status).toBe(200);
    await expect(client().request(ask(`${other.url}/`, { allow }))).rejects.toThrow(/config\.http\.allow/);
    const redirect = `${web.url}/redirect/302?to=${encodeURIComponent(other.url)}`;
    await expect(client().request(ask(redirect, { allow }))).rejects.toMatchObject({ code: "CAPABILITY_DENIED" });
    await expect(client().request(ask(`${web.url}/`, { allow: [] }))).rejects.toThrow(/\(empty\)/);
  });

  test.each([
    ["x\r\ny", "is not a header name"],
    ["", "is not a header name"],
    ["Host", "is set by the server"],
    ["Transfer-Encoding", "is set by the server"],
    ["content-length", "is set by the server"],
    ["connection", "is set by the server"],
    ["upgrade", "is set by the server"],
  ])("the header name %j is refused", async (name, why) => {
    const request = client().request(ask(web.url, { headers: { [name]: "x" } }));
    await expect(request).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining(why) });
  });

  test.each(["a\r\nb", "a\nb", "a\0b", "€", "\u007f"])("the header value %j is refused", async (value) => {
    await expect(client().request(ask(web.url, { headers: { "x-a": value } }))).rejects.toThrow(/line break/);
  });

  test("a header given twice is refused", async () => {
    await expect(client().request(ask(web.url, { headers: { "x-a": "1", "X-A": "2" } }))).rejects.toThrow(/twice/);
  });
});

describe("redirects", () => {
  const to = (status: number, target: string) => `${web.url}/redirect/${status}?to=${encodeURIComponent(target)}`;

  test.each(["http://127.0.0.2/", "http://169.254.169.254/", "http://[::1]/", "file:///etc/passwd", "//10.0.0.1/"])(
    "one to %s is denied",
    async (target) => {
      await expect(client().request(ask(to(302, target)))).rejects.toMatchObject({ code: "CAPABILITY_DENIED" });
    },
  );

  test("credentials reach the same origin only", async () => {
    const headers = { authorization: "Bearer s", cookie: "c=1", "proxy-authorization": "p", "x-kept": "yes" };
    const same = JSON.parse(textOf(await client().request(ask(to(302, "/echo"), { headers }))));
    expect(same).toMatchObject(headers);
    const cross = JSON.parse(textOf(await client().request(ask(to(302, other.url), { headers }))));
    expect(cross).toMatchObject({ "x-kept": "yes" });
    expect(Object.keys(cross)).not.toEqual(expect.arrayContaining(["authorization"]));
    expect(cross).not.toHaveProperty("cookie");
    expect(cross).not.toHaveProperty("proxy-authorization");
  });

  test.each(["X-Auth", "apikey", "x-goog-api-key", "X-Amz-Security-Token", "client-secret", "x-session-id"])(
    "%s stays with the first origin, also when the body goes on",
    async (name) => {
      const headers = { [name]: "s", "idempotency-key": "i" };
      const ask307 = ask(to(307, other.url), { method: "POST", body: "data", headers });
      const cross = JSON.parse(textOf(await client().request(ask307)));
      expect(cross).toMatchObject({ "idempotency-key": "i" });
      expect(cross).not.toHaveProperty(name.toLowerCase());
    },
  );

  test.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [307, "POST", "POST", "data"],
    [308, "PUT", "PUT", "data"],
    [302, "PUT", "PUT", "data"],
  ])("a %d after %s goes on as %s", async (status, method, expected, body) => {
    await client().request(
      ask(to(status, "/end"), { method, body: "data", headers: { "content-type": "text/plain" } }),
    );
    const last = web.requests.at(-1);
    expect([last?.request.method, last?.body]).toEqual([expected, body]);
    expect(last?.request.headers["content-type"]).toBe(body === "" ? undefined : "text/plain");
  });

  test("the answer names the address it came from", async () => {
    const response = await client().request(ask(to(302, "/end?x=1#frag")));
    expect(response.url).toBe(`${web.url}/end?x=1`);
  });

  test("manual returns the redirect, error refuses it, a loop ends", async () => {
    const manual = await client().request(ask(to(302, "/end"), { redirect: "manual" }));
    expect([manual.status, manual.headers["location"]]).toEqual([302, "/end"]);
    await expect(client().request(ask(to(302, "/end"), { redirect: "error" }))).rejects.toThrow(/redirect is "error"/);
    await expect(client().request(ask(`${web.url}/loop`))).rejects.toThrow(/more than 20 redirects/);
  });
});

describe("bodies", () => {
  test.each(Object.keys(compressed))("%s is decompressed", async (encoding) => {
    const response = await client().request(ask(`${web.url}/encoded/${encoding}`));
    expect(textOf(response)).toBe("hello ".repeat(1000));
    expect(response.headers).not.toHaveProperty("content-encoding");
  });

  test("two encodings are undone in reverse order", async () => {
    expect(textOf(await client().request(ask(`${web.url}/twice`)))).toBe("twice");
  });

  test("a body over the cap is a limit error, whether announced, chunked or compressed", async () => {
    for (const path of ["bytes/1001", "chunked", "bomb"]) {
      await expect(client().request(ask(`${web.url}/${path}`, { maxBytes: 1000 }))).rejects.toMatchObject({
        code: "LIMIT_EXCEEDED",
        message: "http: response over 1000 bytes (max_bytes)",
      });
    }
    expect((await client().request(ask(`${web.url}/bytes/1000`, { maxBytes: 1000 }))).body.length).toBe(1000);
  });

  test("damaged and unknown encodings are upstream failures", async () => {
    await expect(client().request(ask(`${web.url}/damaged`))).rejects.toThrow(/gzip body is damaged/);
    await expect(client().request(ask(`${web.url}/unknown`))).rejects.toThrow(/content-encoding "lzma"/);
  });

  test("HEAD has no body and keeps the length", async () => {
    const response = await client().request(ask(`${web.url}/length/5`, { method: "HEAD" }));
    expect([response.body.length, response.headers["content-length"]]).toEqual([0, "5"]);
  });

  test("repeated headers are joined", async () => {
    expect((await client().request(ask(web.url))).headers["set-cookie"]).toBe("a=1, b=2");
  });
});

describe("time and connections", () => {
  test.each(["silent", "hang"])("a server that stays %s ends with the timeout", async (kind) => {
    await expect(client().request(ask(`${web.url}/${kind}?token=secret`, { timeoutMs: 50 }))).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      details: { url: `${web.url}/${kind}`, limit: "timeout_ms", value: 50 },
    });
  });

  test("an aborted request throws the signal's reason", async () => {
    const controller = new AbortController();
    const pending = client().request(ask(`${web.url}/hang`, { signal: controller.signal }));
    setTimeout(() => controller.abort(fail("EXECUTION_TIMEOUT")), 20);
    await expect(pending).rejects.toMatchObject({ code: "EXECUTION_TIMEOUT" });
    await expect(client().request(ask(web.url, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: "EXECUTION_CANCELLED",
    });
  });

  test("network failures say what happened, without the query", async () => {
    await expect(client().request(ask(`${web.url}/cut?token=secret`))).rejects.toMatchObject({
      code: "UPSTREAM_FAILED",
      message: `http: GET ${web.url}/cut failed: the connection was closed by the other side`,
    });
    const resolve = () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" }));
    await expect(client({ resolve }).request(ask("http://nowhere.example.com/"))).rejects.toThrow(/does not exist/);
    const closed = await startWebStub(() => {});
    await closed.close();
    await expect(client().request(ask(closed.url))).rejects.toMatchObject({ details: { reason: "ECONNREFUSED" } });
  });

  test("connections of an origin are used again", async () => {
    const before = web.connections();
    const one = client();
    for (let index = 0; index < 10; index++) await one.request(ask(`${web.url}/${index}`));
    expect(web.connections() - before).toBeLessThan(3);
  });
});
