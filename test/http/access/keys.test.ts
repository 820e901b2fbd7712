import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { call, makeKey, type Send, sender, upload } from "./client.ts";

const ECHO = "export const execute = (ctx) => ctx.input;";
const SLOW = "export const execute = async (ctx) => { await ctx.sleep(60_000); };";

let server: TestServer;
let owner: Send;

beforeAll(async () => {
  server = await startTestServer();
  owner = sender(server, server.apiKey);
  for (const ref of ["echo", "shop-a", "shop-b"]) expect(await upload(owner, ref, ECHO)).toMatchObject({ status: 200 });
  await upload(owner, "slow", SLOW);
});
afterAll(() => server.close());

test("a key is shown once, found by its beginning, and stored as a hash only", async () => {
  const made = await owner("POST", "/api/v1/keys", { name: "once", scopes: ["read", "invoke"] });
  expect(made.status).toBe(201);
  const { key, ...shown } = made.data;
  expect(key).toMatch(/^weft_[\w-]{43}$/);
  expect(shown).toMatchObject({ name: "once", scopes: ["read", "invoke"], refs: null, expires_at: null });
  expect(String(key).startsWith(String(shown["prefix"]))).toBe(true);
  const listed = await owner("GET", "/api/v1/keys");
  expect(JSON.stringify(listed.body)).not.toContain(key);
  const own = await sender(server, String(key))("GET", "/api/v1/keys/current");
  expect(own.data).toMatchObject({ id: shown["id"], account: { name: "owner", owner: true } });
  expect((await owner("GET", `/api/v1/keys/${shown["id"]}`)).data["last_used_at"]).toBeTypeOf("number");
});

test("a key does what its scopes say and nothing else", async () => {
  const as = async (...scopes: string[]) =>
    sender(server, await makeKey(owner, { name: `only ${scopes.join(" ")}`, scopes }));
  const { body: begun } = await call(owner, "echo", { background: true });
  const run = `/api/v1/runs/${begun["id"]}`;
  const deploy = { workflow_ref_name: "deployed", script: ECHO };
  const budget = { account: { calls: 1_000_000 } };
  const tries: readonly (readonly [string, string, unknown?])[] = [
    ["POST", "/workflow/chat/completions", { model: "workflow:echo", input: {} }],
    ["GET", run],
    ["GET", "/v1/models"],
    ["GET", "/api/v1/runs"],
    ["GET", "/api/v1/workflows/echo"],
    ["POST", "/api/v1/workflows/upload", deploy],
    ["PUT", "/api/v1/budgets", budget],
    ["GET", "/api/v1/keys"],
    ["GET", "/api/v1/audit"],
    ["GET", "/api/v1/keys/current"],
  ];
  const results = async (send: Send) => {
    const statuses: number[] = [];
    for (const [method, path, body] of tries) statuses.push((await send(method, path, body)).status);
    return statuses;
  };
  const no = 403;
  expect(await results(await as("invoke"))).toEqual([200, 200, 200, no, no, no, no, no, no, 200]);
  expect(await results(await as("read"))).toEqual([no, 200, 200, 200, 200, no, no, no, no, 200]);
  expect(await results(await as("deploy"))).toEqual([no, no, no, no, no, 200, no, no, no, 200]);
  expect(await results(await as("read", "deploy"))).toEqual([no, 200, 200, 200, 200, 200, no, no, no, 200]);
  expect(await results(await as("admin"))).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 200, 200]);
  await owner("PUT", "/api/v1/budgets", { account: null });
});

test("what a scope forbids is worded by every API, before the body is read", async () => {
  const send = sender(server, await makeKey(owner, { name: "reader", scopes: ["read"] }));
  const answer = await call(send, "echo");
  expect(answer).toMatchObject({ status: 403, code: "permission_denied" });
  expect(JSON.stringify(answer.body)).toContain('The API key \\"reader\\" has the scope read; this needs invoke.');
  expect((await send("POST", "/v1/workflows/run", { nonsense: true })).status).toBe(403);
  expect((await send("POST", "/api/workflows/execute", { nonsense: true })).status).toBe(403);
  expect((await send("POST", "/api/v1/workflows/wf_00000000000000000000000000000000/execute", 1)).status).toBe(403);
  expect((await send("DELETE", "/api/workflows/00000000-0000-0000-0000-000000000000")).status).toBe(403);
});

test("a key that is limited to workflows reaches no other, by whatever name and API", async () => {
  const limited = sender(
    server,
    await makeKey(owner, { name: "shop", scopes: ["invoke", "read", "deploy"], refs: ["shop-*", "slow"] }),
  );
  expect((await call(limited, "shop-a")).status).toBe(200);
  expect((await call(limited, "shop-b@1.0.0")).status).toBe(200);
  const refused = await call(limited, "echo");
  expect(refused).toMatchObject({ status: 403, code: "permission_denied" });
  expect(JSON.stringify(refused.body)).toContain("limited to the workflows shop-*, slow");
  expect((await limited("GET", "/api/v1/workflows/shop-a")).status).toBe(200);
  const shown = (await owner("GET", "/api/v1/workflows/echo")).data;
  for (const name of ["echo", shown["id"], shown["uuid"]].filter((one) => one !== undefined)) {
    expect([name, (await limited("GET", `/api/v1/workflows/${name}`)).status]).toEqual([name, 403]);
    expect([name, (await limited("DELETE", `/api/v1/workflows/${name}`)).status]).toEqual([name, 403]);
    expect([name, (await limited("POST", `/api/v1/workflows/${name}/execute`, {})).status]).toEqual([name, 403]);
    expect([name, (await limited("POST", "/v1/workflows/run", { app_id: String(name), inputs: {} })).status]).toEqual([
      name,
      403,
    ]);
    expect([
      name,
      (await limited("POST", "/api/workflows/execute", { workflow_id: String(name), input: 1 })).status,
    ]).toEqual([name, 403]);
  }
  const theirs = (await call(owner, "echo", { background: true })).body["id"];
  const own = (await call(limited, "shop-a", { background: true })).body["id"];
  expect((await limited("GET", `/api/v1/runs/${own}`)).status).toBe(200);
  for (const [method, rest] of [
    ["GET", ""],
    ["GET", "/chunks"],
    ["GET", "/trace"],
    ["POST", "/cancel"],
    ["DELETE", ""],
  ] as const) {
    expect([rest, (await limited(method, `/api/v1/runs/${theirs}${rest}`)).status]).toEqual([rest, 403]);
  }
  expect((await limited("GET", "/api/v1/runs")).status).toBe(403);
  expect((await limited("GET", "/api/v1/runs?workflow=shop-a")).status).toBe(200);
  expect((await limited("GET", "/api/v1/runs?workflow=echo")).status).toBe(403);
  expect((await upload(limited, "shop-c", ECHO)).status).toBe(200);
  expect((await upload(limited, "other", ECHO)).status).toBe(403);
  for (const path of [
    "/api/v1/workflows",
    "/api/v1/datastores",
    "/api/v1/agents",
    "/api/v1/files",
    "/v1/app/list",
    "/api/workflows",
  ])
    expect([path, (await limited("GET", path)).status]).toEqual([path, 403]);
  const form = new FormData();
  form.set("workflow_ref_name", "shop-d");
  form.set("script_file", new Blob([ECHO]), "shop-d.ts");
  form.set("datastore_stolen", new Blob(["a\n1\n"]), "stolen.csv");
  const key = await makeKey(owner, { name: "shop form", scopes: ["deploy"], refs: ["shop-*"] });
  const headers = { authorization: `Bearer ${key}` };
  const sent = await fetch(`${server.url}/api/v1/workflows/upload`, { method: "POST", headers, body: form });
  expect(sent.status).toBe(403);
  expect((await owner("GET", "/api/v1/datastores/stolen")).status).toBe(404);
});

test("a rotated key is good for the overlap only, a revoked and an expired one not at all", async () => {
  const first = await owner("POST", "/api/v1/keys", { name: "rotated", scopes: ["read"] });
  const old = sender(server, String(first.data["key"]));
  const second = await owner("POST", `/api/v1/keys/${first.data["id"]}/rotate`, { overlap_seconds: 3_600 });
  expect(second.data).toMatchObject({ name: "rotated", scopes: ["read"] });
  const next = sender(server, String(second.data["key"]));
  expect([(await old("GET", "/api/v1/runs")).status, (await next("GET", "/api/v1/runs")).status]).toEqual([200, 200]);
  const third = await owner("POST", `/api/v1/keys/${second.data["id"]}/rotate`);
  expect((await next("GET", "/api/v1/runs")).status).toBe(401);
  await owner("DELETE", `/api/v1/keys/${third.data["id"]}`);
  expect((await sender(server, String(third.data["key"]))("GET", "/api/v1/runs")).status).toBe(401);
  await owner("PATCH", `/api/v1/keys/${first.data["id"]}`, { expires_in_seconds: 1 });
  const expired = await until(
    () => old("GET", "/api/v1/runs"),
    ({ status }) => status !== 200,
  );
  expect(expired).toMatchObject({ status: 401, code: "invalid_api_key" });
  expect(JSON.stringify(expired.body)).toMatch(/The API key weft_[\w-]+… expired at 20/);
});

test("a key is not given the name of another one", async () => {
  const made = await owner("POST", "/api/v1/keys", { name: "to rename" });
  const path = `/api/v1/keys/${made.data["id"]}`;
  const refused = await owner("PATCH", path, { name: "owner" });
  expect(refused.status).toBe(409);
  expect(JSON.stringify(refused.body)).toContain("name: there is a key");
  expect((await owner("PATCH", path, { name: "to rename", concurrency: 3 })).data["concurrency"]).toBe(3);
  expect((await owner("PATCH", path, { name: "renamed" })).data["name"]).toBe("renamed");
});

test("an account keeps a key that can manage it", async () => {
  const { body } = await owner("GET", "/api/v1/keys");
  const admins = (body["data"] as readonly Record<string, unknown>[]).filter(({ scopes }) =>
    String(scopes).includes("admin"),
  );
  const others = admins.filter(({ name }) => name !== "owner");
  for (const { id } of others) expect((await owner("DELETE", `/api/v1/keys/${id}`)).status).toBe(200);
  const own = admins.find(({ name }) => name === "owner")?.["id"];
  expect(await owner("DELETE", `/api/v1/keys/${own}`)).toMatchObject({ status: 409 });
  expect(await owner("PATCH", `/api/v1/keys/${own}`, { scopes: ["read"] })).toMatchObject({ status: 409 });
  expect(await owner("PATCH", `/api/v1/keys/${own}`, { expires_in_seconds: 60 })).toMatchObject({ status: 409 });
  expect(await owner("GET", "/api/v1/keys")).toMatchObject({ status: 200 });
});

test("limits of a key: requests in a minute and requests open at once, with Retry-After", async () => {
  const two = sender(server, await makeKey(owner, { name: "two", scopes: ["read"], requests_per_minute: 2 }));
  const statuses = [await two("GET", "/v1/models"), await two("GET", "/v1/models")].map(({ status }) => status);
  expect(statuses).toEqual([200, 200]);
  const third = await two("GET", "/v1/models");
  expect(third).toMatchObject({ status: 429, code: "rate_limited" });
  expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(20);
  expect(JSON.stringify(third.body)).toContain("may make 2 requests a minute");
  for (const path of ["/v1/app/list", "/api/workflows", "/api/workflows/1/graph", "/api/v1/workflows/1"]) {
    const refused = await two("GET", path);
    expect([path, refused.status]).toEqual([path, 429]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(20);
  }
  const text = await makeKey(owner, { name: "one", scopes: ["invoke"], concurrency: 1 });
  const one = sender(server, text);
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${text}`, "content-type": "application/json" };
  const body = JSON.stringify({ model: "workflow:slow", input: {}, stream: true });
  const open = fetch(`${server.url}/workflow/chat/completions`, { method: "POST", headers, body, signal: stop.signal });
  open.catch(() => undefined);
  await vi.waitFor(async () => expect((await call(one, "echo")).status).toBe(429), { timeout: 20_000 });
  expect(JSON.stringify((await call(one, "echo")).body)).toContain("concurrency 1");
  stop.abort();
  await vi.waitFor(async () => expect((await call(one, "echo")).status).toBe(200), { timeout: 20_000 });
});

test("bad input names the field", async () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [{}, "name: is required"],
    [{ name: "" }, "name: "],
    [{ name: "x", scopes: [] }, "scopes: "],
    [{ name: "x", scopes: ["root"] }, "scopes.0: must be one of"],
    [{ name: "x", refs: ["a b"] }, "refs.0: "],
    [{ name: "x", scopes: ["admin"], refs: ["a"] }, "refs: cannot be combined"],
    [{ name: "x", requests_per_minute: 0 }, "requests_per_minute: "],
    [{ name: "x", expires_in_seconds: -1 }, "expires_in_seconds: "],
    [{ name: "x", colour: "red" }, "colour: there is no such field"],
    [{ name: "owner" }, "name: there is a key"],
  ];
  for (const [body, says] of wrong) {
    const { status, body: answer } = await owner("POST", "/api/v1/keys", body);
    expect([400, 409]).toContain(status);
    expect(JSON.stringify(answer)).toContain(says);
  }
  expect((await owner("DELETE", "/api/v1/keys/key_00000000000000000000000000000000")).status).toBe(404);
});
