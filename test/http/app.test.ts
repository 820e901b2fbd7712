import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Service, startService } from "./service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ WEFT_LIMIT_MAX_BODY_BYTES: "1000000" });
  await service.deploy("echo", "export const execute = (ctx) => ctx.input;");
});
afterAll(async () => {
  await service.close();
  expect(service.reported).toEqual([]);
});

interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly type: string;
    readonly request_id: string;
  };
}
const errorOf = async (response: Response) => ((await response.json()) as ErrorBody).error;
const raw = (body: string, type = "application/json") =>
  service.send("/v1/chat/completions", { method: "POST", body, headers: { "content-type": type } });
/** Sends bytes as they are and returns everything that came back. */
async function exchange(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  socket.setEncoding("utf8").write(bytes);
  let answer = "";
  for await (const part of socket) answer += part;
  return answer;
}

describe("keys", () => {
  const call = (headers: Readonly<Record<string, string>>, path = "/v1/models") =>
    fetch(`${service.url}${path}`, { headers });

  test.each<[string, (key: string) => string]>([
    ["authorization", (key) => `Bearer ${key}`],
    ["authorization", (key) => `bearer ${key}`],
    ["x-api-key", (key) => key],
    ["X-Maitai-Api-Key", (key) => key],
    ["apikey", (key) => key],
  ])("come in %s, on every path", async (name, value) => {
    const headers = { [name]: value(service.apiKey) };
    expect((await call(headers)).status).toBe(200);
    expect((await call(headers, "/api/v1/workflows")).status).toBe(200);
  });

  test.each<[string, (key: string) => Readonly<Record<string, string>>]>([
    ["a Bearer placeholder", (key) => ({ authorization: "Bearer unused", "x-api-key": key })],
    ["another scheme", (key) => ({ authorization: "Basic d3Jvbmc6d3Jvbmc=", "x-api-key": key })],
    ["a wrong x-api-key", (key) => ({ "x-api-key": "wrong", "X-Maitai-Api-Key": key })],
  ])("are all tried: %s hides no right one", async (_name, headersFor) => {
    expect((await call(headersFor(service.apiKey))).status).toBe(200);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["none", {}],
    ["several wrong ones", { authorization: "Bearer wrong", "x-api-key": "wrong", apikey: "wrong" }],
    ["a wrong one", { authorization: "Bearer wrong" }],
    ["another scheme", { authorization: "Basic d3Jvbmc6d3Jvbmc=" }],
    ["an empty one", { "x-api-key": "" }],
  ])("%s is 401, before anything else is looked at", async (_name, headers) => {
    const response = await fetch(`${service.url}/v1/chat/completions`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: "{broken",
    });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await errorOf(response)).toMatchObject({
      message: "Invalid or missing API key",
      type: "invalid_request_error",
      code: "invalid_api_key",
    });
  });
});

describe("request ids", () => {
  test("are echoed when they are harmless, else made", async () => {
    const idOf = async (id: string) =>
      (await service.send("/v1/models", { headers: { "x-request-id": id } })).headers.get("x-request-id");
    expect(await idOf("req-1.a:b/c=")).toBe("req-1.a:b/c=");
    expect(await idOf("x".repeat(129))).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf("a b<script>")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("are in every error body and header", async () => {
    const response = await service.send("/nowhere", { headers: { "x-request-id": "r-404" } });
    expect(response.headers.get("x-request-id")).toBe("r-404");
    expect(await errorOf(response)).toMatchObject({ request_id: "r-404" });
  });
});

describe("bodies", () => {
  test.each(["{", "nope", '{"a":}', "\u0000"])("%j is invalid_json", async (body) => {
    const response = await raw(body);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ code: "invalid_json", type: "invalid_request_error" });
  });

  test.each(["", "null", "[]", "5", '"text"'])("%j is no object", async (body) => {
    const response = await raw(body);
    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toContain("must be object");
  });

  test("nested too deeply is refused", async () => {
    const deep = (levels: number) => `{"model":"workflow:echo","input":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    expect((await raw(deep(400))).status).toBe(200);
    const response = await raw(deep(100_000));
    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toContain("500 levels");
  });

  test.each(["text/plain", "application/xml", "application/x-www-form-urlencoded"])("%s is 415", async (type) => {
    const response = await raw("{}", type);
    expect(response.status).toBe(415);
    const error = await errorOf(response);
    expect(error).toMatchObject({ code: "unsupported_media_type" });
    expect(error.message).toContain(type);
  });

  test("over the limit is 413 and names limit and value, with a length and without", async () => {
    const size = 100_000_000;
    const declared = await raw("x".repeat(size));
    expect(declared.status).toBe(413);
    expect(await errorOf(declared)).toMatchObject({
      code: "payload_too_large",
      message: `body: ${size} bytes, over 1000000 (maxBodyBytes)`,
    });
    const chunk = "x".repeat(1_000_000);
    const sending = request(`${service.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" },
    });
    Readable.from(Array.from({ length: 100 }, () => chunk)).pipe(sending);
    const [answer] = (await once(sending, "response")) as [NodeJS.ReadableStream & { statusCode: number }];
    expect(answer.statusCode).toBe(413);
    let text = "";
    for await (const part of answer) text += String(part);
    expect((JSON.parse(text) as ErrorBody).error.message).toBe("body over 1000000 (maxBodyBytes)");
  });

  test("are read as UTF-8 and answered as it", async () => {
    const response = await service.invoke("echo", { input: "héllo 🎉" });
    expect(await response.json()).toMatchObject({ output: "héllo 🎉" });
  });
});

describe("paths", () => {
  test.each<[string, string, string]>([
    ["GET", "/workflow/chat/completions", "POST"],
    ["DELETE", "/v1/models", "GET, HEAD"],
    ["PATCH", "/api/v1/workflows/some", "DELETE, GET, HEAD, PUT"],
    ["OPTIONS", "/v1/chat/completions", "POST"],
  ])("%s %s is 405 with Allow", async (method, path, allow) => {
    const response = await service.send(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect(await errorOf(response)).toMatchObject({ code: "method_not_allowed", type: "invalid_request_error" });
  });

  test.each(["/nowhere", "/v1/nowhere", "/workflow/nowhere", "/api/v1/nowhere", "/docs/static/..%2fpackage.json"])(
    "%s is 404",
    async (path) => {
      const response = await service.send(path);
      expect(response.status).toBe(404);
      expect(await errorOf(response)).toMatchObject({ code: "not_found", message: `There is nothing at ${path}.` });
    },
  );

  test("may end in a slash", async () => {
    expect((await service.send("/v1/models/")).status).toBe(200);
  });

  test("with broken escapes are 400", async () => {
    const response = await service.send("/v1/models/%zz");
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ type: "invalid_request_error" });
  });

  test("answer no other origin", async () => {
    const response = await service.send("/v1/models", { headers: { origin: "https://elsewhere.example" } });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});

describe("connections", () => {
  test("that do not speak HTTP get 400 in the API's words", async () => {
    const answer = await exchange("HELLO\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('"type":"invalid_request_error"');
  });

  test("with too large headers get 431", async () => {
    const answer = await exchange(`GET /livez HTTP/1.1\r\nhost: x\r\nx-large: ${"y".repeat(40_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("are kept for the next request", async () => {
    const two = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    expect((await exchange(two)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

describe("without a key", () => {
  const get = (path: string) => fetch(`${service.url}${path}`);

  test("health is answered", async () => {
    expect(await (await get("/livez")).json()).toEqual({ status: "ok" });
    const ready = await get("/readyz");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: "ready" });
  });

  test("the reference page and all it loads come from this server", async () => {
    const page = await get("/docs");
    expect(page.status).toBe(200);
    const html = await page.text();
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) {
      const url = new URL(link, `${service.url}/docs/`);
      expect(url.origin).toBe(service.url);
      expect((await fetch(url)).status).toBe(200);
    }
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
  });
});
