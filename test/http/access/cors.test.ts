import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

const ORIGIN = "https://app.example";
let closed: TestServer;
let open: TestServer;

beforeAll(async () => {
  [closed, open] = await Promise.all([
    startTestServer({ WEFT_WORKERS: "1" }),
    startTestServer({
      WEFT_WORKERS: "1",
      WEFT_CORS_ORIGINS: `${ORIGIN},https://other.example`,
      WEFT_TRUST_PROXY: "127.0.0.0/8",
    }),
  ]);
});
afterAll(() => Promise.all([closed.close(), open.close()]));

const preflight = ({ url }: TestServer, origin: string) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  });

test("pages of other origins may not call unless they are listed", async () => {
  const refused = await preflight(closed, ORIGIN);
  expect([...refused.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  const allowed = await preflight(open, ORIGIN);
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get("access-control-allow-origin")).toBe(ORIGIN);
  expect(allowed.headers.get("access-control-allow-headers")).toBe("authorization,content-type");
  expect(allowed.headers.get("access-control-allow-credentials")).toBeNull();
  const stranger = await preflight(open, "https://evil.example");
  expect(stranger.headers.get("access-control-allow-origin")).toBeNull();
});

test("answers and errors carry the origin, so that a page can read them", async () => {
  const headers = { origin: ORIGIN };
  const error = await fetch(`${open.url}/v1/models`, { headers });
  expect(error.status).toBe(401);
  expect(error.headers.get("access-control-allow-origin")).toBe(ORIGIN);
  expect(error.headers.get("access-control-expose-headers")).toContain("x-request-id");
  const plain = await fetch(`${closed.url}/v1/models`, { headers });
  expect(plain.headers.get("access-control-allow-origin")).toBeNull();
});

test("the address in the audit log is a proxy's word only where the proxy is trusted", async () => {
  const address = async (server: TestServer) => {
    const headers = { authorization: `Bearer ${server.apiKey}`, "x-forwarded-for": "203.0.113.7" };
    await fetch(`${server.url}/api/v1/agents/nobody`, { method: "DELETE", headers });
    const { data } = (await (await fetch(`${server.url}/api/v1/audit`, { headers })).json()) as {
      readonly data: readonly { readonly address: string }[];
    };
    return data.at(-1)?.address;
  };
  expect([await address(closed), await address(open)]).toEqual(["127.0.0.1", "203.0.113.7"]);
});
