import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Op } from "../../runtime/capabilities/capability.ts";
import { http } from "../../runtime/capabilities/http.ts";
import { createEgressClient } from "../../runtime/egress/client.ts";
import { createModelClient } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { createMcpSessions } from "../../runtime/tools/mcp/sessions.ts";
import { startWebStub, type WebStub } from "../egress/upstream.ts";
import { type OutsideServices, type TestCallOptions, testCall, testScope } from "./op-call.ts";

const op = http.ops["http.request"] as Op;
let web: WebStub;
let services: OutsideServices;
/** Answers of the next requests: a status, or a closed connection. */
let script: (number | "cut")[] = [];

beforeAll(async () => {
  web = await startWebStub((request, response) => {
    const next = script.shift();
    const { pathname } = new URL(request.url ?? "/", "http://stub");
    if (next === "cut") response.destroy();
    else if (next !== undefined) response.writeHead(next, { "retry-after": "0" }).end("scripted");
    else if (pathname === "/png")
      response.writeHead(200, { "content-type": "image/png" }).end(Buffer.from([137, 80, 0, 255]));
    else if (pathname === "/latin1")
      response.writeHead(200, { "content-type": "text/plain; charset=iso-8859-1" }).end(Buffer.from([0xe9]));
    else if (pathname === "/broken")
      response.writeHead(200, { "content-type": "text/plain" }).end(Buffer.from([0xff, 0x41]));
    else if (pathname === "/big") response.end("x".repeat(5_000));
    else if (pathname === "/wait") response.writeHead(503, { "retry-after": "3600" }).end("later");
    else if (pathname === "/hang") response.writeHead(200).write("x");
    else response.writeHead(200, { "content-type": "application/json" }).end('{"ok":"é"}');
  });
  const egress = createEgressClient({ allowPrivate: ["127.0.0.1"] });
  services = {
    egress,
    mcp: createMcpSessions({ egress }),
    models: createModelClient(parseModels({ file: null, env: {} })),
  };
});

afterAll(async () => {
  await services.egress.close();
  await services.models.close();
  await web.close();
});

beforeEach(() => {
  script = [];
});

async function ask(args: Readonly<Record<string, unknown>>, options: Partial<TestCallOptions> = {}) {
  const call = testCall({ services, ...options });
  const text = await op.run(op.parse(args, call.scope), call);
  return {
    result: JSON.parse(text) as {
      status: number;
      url: string;
      headers: Record<string, string>;
      body: string;
      encoding: string;
    },
    call,
  };
}

const last = () => web.requests.at(-1);

describe("arguments", () => {
  test.each([
    [null, "the argument must be an object"],
    [{}, "url must be an absolute http or https URL"],
    [{ url: 5 }, "url must be an absolute"],
    [{ url: "http://a.com/", bdoy: "x" }, '"bdoy" is not a known field'],
    [{ url: "http://a.com/", method: 5 }, "method must be an HTTP method, got 5"],
    [{ url: "http://a.com/", method: "GET /x" }, "method must be an HTTP method"],
    [{ url: "http://a.com/", method: "connect" }, "method CONNECT is not possible"],
    [{ url: "http://a.com/", headers: [] }, "headers must be an object, got []"],
    [{ url: "http://a.com/", headers: { a: 1 } }, "headers.a must be a string, got 1"],
    [{ url: "http://a.com/", headers: { "a\n": "b" } }, "is not a header name"],
    [{ url: "http://a.com/", params: { a: {} } }, "params.a must be a string, number or boolean"],
    [{ url: "http://a.com/", json: 1, body: "x" }, "json and body exclude each other"],
    [{ url: "http://a.com/", body: {} }, "body must be a string or bytes"],
    [{ url: "http://a.com/", body_base64: "a-b" }, "body_base64 must be base64"],
    [{ url: "http://a.com/", timeout_ms: 0 }, "timeout_ms must be an integer from 1 to 3600000, got 0"],
    [{ url: "http://a.com/", max_bytes: 10485761 }, "max_bytes must be an integer from 1 to 10485760, got 10485761"],
    [{ url: "http://a.com/", retries: 11 }, "retries must be an integer from 0 to 10, got 11"],
    [{ url: "http://a.com/", redirect: "no" }, 'redirect must be "follow", "manual" or "error", got "no"'],
    [{ url: `http://a.com/${"x".repeat(20_000)}` }, "url may have 16384 characters, has 20013"],
  ])("%j is refused", (args, message) => {
    expect(() => op.parse(args, testScope())).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(message) }),
    );
  });

  test("params are added to the URL", async () => {
    const { result } = await ask({ url: `${web.url}/p?a=1`, params: { b: "x y", c: 2, d: true } });
    expect(result.url).toBe(`${web.url}/p?a=1&b=x+y&c=2&d=true`);
  });

  test("json, form, text and bytes are sent with their type", async () => {
    const send = (args: object) => ask({ url: web.url, method: "post", ...args });
    await send({ json: { a: [1] } });
    expect([last()?.body, last()?.request.headers["content-type"]]).toEqual(['{"a":[1]}', "application/json"]);
    await send({ json: null, headers: { "Content-Type": "application/x.own+json" } });
    expect([last()?.body, last()?.request.headers["content-type"]]).toEqual(["null", "application/x.own+json"]);
    await send({ form: { a: "1 2", b: "&" } });
    expect([last()?.body, last()?.request.headers["content-type"]]).toEqual([
      "a=1+2&b=%26",
      "application/x-www-form-urlencoded",
    ]);
    await send({ body: "plain" });
    expect([last()?.body, last()?.request.headers["content-type"]]).toEqual(["plain", undefined]);
    await send({ body_base64: Buffer.from("bytes").toString("base64") });
    expect(last()?.body).toBe("bytes");
  });
});

describe("results", () => {
  test("text in UTF-8 is text, everything else is base64", async () => {
    expect((await ask({ url: web.url })).result).toMatchObject({ status: 200, body: '{"ok":"é"}', encoding: "text" });
    for (const [path, bytes] of [
      ["png", [137, 80, 0, 255]],
      ["latin1", [0xe9]],
      ["broken", [0xff, 0x41]],
    ] as const) {
      const { result } = await ask({ url: `${web.url}/${path}` });
      expect(result).toMatchObject({ encoding: "base64", body: Buffer.from(bytes).toString("base64") });
    }
  });

  test("any status is a result", async () => {
    script = [404];
    expect((await ask({ url: web.url })).result).toMatchObject({ status: 404, body: "scripted" });
  });

  test("over max_bytes is a limit error", async () => {
    await expect(ask({ url: `${web.url}/big`, max_bytes: 100 })).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      details: { limit: "max_bytes", value: 100 },
    });
  });

  test("the workflow's allow-list holds", async () => {
    await expect(ask({ url: web.url }, { job: { httpAllow: ["api.example.com"] } })).rejects.toMatchObject({
      code: "CAPABILITY_DENIED",
    });
  });
});

describe("retries", () => {
  test.each([429, 502, 503, 504, "cut"] as const)("GET is sent again after %s", async (failure) => {
    script = [failure];
    const { result, call } = await ask({ url: web.url });
    expect(result.status).toBe(200);
    expect(call.metered.at(-1)).toEqual({ attempts: 2 });
  });

  test("the last answer is the result when retries are used up", async () => {
    script = [503, 503, 503, 503];
    const { result, call } = await ask({ url: web.url });
    expect([result.status, call.metered.at(-1)]).toEqual([503, { attempts: 3 }]);
    expect((await ask({ url: web.url, retries: 0 })).result.status).toBe(503);
  });

  test("500 is not retried", async () => {
    script = [500];
    expect((await ask({ url: web.url })).result.status).toBe(500);
  });

  test("POST is sent again only when asked, under one key", async () => {
    script = ["cut"];
    await expect(ask({ url: `${web.url}/?token=s`, method: "POST" })).rejects.toMatchObject({
      code: "UPSTREAM_FAILED",
      details: { attempts: 1, url: `${web.url}/` },
    });
    script = [503];
    await ask({ url: web.url, method: "POST", retries: 1 });
    const keys = web.requests.slice(-2).map(({ request }) => request.headers["idempotency-key"]);
    expect(keys).toEqual(["exec-1:7", "exec-1:7"]);
  });

  test("a script's own key stays, and GET carries none", async () => {
    await ask({ url: web.url, method: "PUT", headers: { "Idempotency-Key": "mine" } });
    expect(last()?.request.headers["idempotency-key"]).toBe("mine");
    await ask({ url: web.url });
    expect(last()?.request.headers["idempotency-key"]).toBeUndefined();
  });

  test("a Retry-After beyond the timeout is not waited for", async () => {
    expect((await ask({ url: `${web.url}/wait`, timeout_ms: 5_000 })).result.status).toBe(503);
  });
});

describe("ends", () => {
  test("timeout_ms covers the whole op", async () => {
    await expect(ask({ url: `${web.url}/hang?secret=1`, timeout_ms: 40 })).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      message: `http: GET ${web.url}/hang took longer than 40 ms (timeout_ms)`,
      details: { limit: "timeout_ms", value: 40, attempts: 1 },
    });
  });

  test("an abort ends the request", async () => {
    const signal = AbortSignal.timeout(20);
    await expect(ask({ url: `${web.url}/hang` }, { signal })).rejects.toMatchObject({ code: "EXECUTION_CANCELLED" });
  });
});
