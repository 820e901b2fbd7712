import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { call, type Json, makeKey, type Send, sender, upload } from "./client.ts";

const ECHO = "export const execute = (ctx) => ctx.input;";

let server: TestServer;
let owner: Send;
let team: Send;

beforeAll(async () => {
  server = await startTestServer({ WEFT_ACCOUNT_CONCURRENCY: "50" });
  owner = sender(server, server.apiKey);
  const made = await owner("POST", "/api/v1/accounts", { name: "team" });
  expect(made).toMatchObject({ status: 201, data: { name: "team", owner: false, suspended: false } });
  team = sender(server, String((made.data["key"] as Json)["key"]));
});
afterAll(() => server.close());

test("a new account begins empty, with one key that may do everything in it", async () => {
  expect((await team("GET", "/api/v1/workflows")).body).toMatchObject({ total: 0, data: [] });
  expect((await upload(team, "echo", ECHO)).status).toBe(200);
  expect((await call(team, "echo")).status).toBe(200);
  expect((await owner("GET", "/api/v1/workflows/echo")).status).toBe(404);
  expect((await team("GET", "/api/v1/keys")).body["data"]).toMatchObject([{ name: "first", scopes: ["admin"] }]);
});

test("accounts are managed by the owner alone", async () => {
  for (const [method, path, body] of [
    ["GET", "/api/v1/accounts"],
    ["GET", "/api/v1/accounts/team"],
    ["POST", "/api/v1/accounts", { name: "mine" }],
    ["PATCH", "/api/v1/accounts/team", { concurrency: null }],
    ["GET", "/api/v1/accounts/owner/keys"],
    ["POST", "/api/v1/accounts/owner/keys", { name: "stolen", scopes: ["admin"] }],
    ["PUT", "/api/v1/accounts/team/budgets", { account: null }],
  ] as const) {
    const answer = await team(method, path, body);
    expect([path, answer.status, answer.code]).toEqual([path, 403, "permission_denied"]);
  }
  const reader = sender(server, await makeKey(owner, { name: "reader", scopes: ["read"] }));
  expect((await reader("GET", "/api/v1/accounts")).status).toBe(403);
  expect((await owner("GET", "/api/v1/accounts?limit=1&offset=1")).body).toMatchObject({
    data: [{ name: "team" }],
    pagination: { total: 2 },
  });
  expect((await owner("GET", "/api/v1/accounts/nobody")).status).toBe(404);
  expect((await owner("POST", "/api/v1/accounts", { name: "team" })).status).toBe(409);
  expect((await owner("POST", "/api/v1/accounts", { name: "Not A Name" })).status).toBe(400);
});

test("keys of one account are unknown in another", async () => {
  const [{ id }] = (await team("GET", "/api/v1/keys")).body["data"] as readonly [Json];
  for (const [method, rest, body] of [
    ["GET", ""],
    ["PATCH", "", { name: "x" }],
    ["POST", "/rotate"],
    ["DELETE", ""],
  ] as const) {
    expect((await owner(method, `/api/v1/keys/${id}${rest}`, body)).status).toBe(404);
  }
  const made = await makeKey(owner, { name: "app" }, "/api/v1/accounts/team/keys");
  expect((await call(sender(server, made), "echo")).status).toBe(200);
});

test("the owner sets the daily credits of an account, which it cannot raise itself", async () => {
  const set = await owner("PUT", "/api/v1/accounts/team/budgets", { account: { calls: 0 } });
  expect(set.data["account"]).toMatchObject({ limits: { calls: 0 } });
  expect((await team("GET", "/api/v1/budgets")).data["account"]).toMatchObject({ limits: { calls: 0 } });
  for (const [method, path, body] of [
    ["PUT", "/api/v1/budgets", { account: null }],
    ["POST", "/api/v1/budgets/add", { add: { calls: 5 } }],
  ] as const) {
    expect((await team(method, path, body)).status).toBe(403);
  }
  await upload(
    team,
    "chat",
    "export const execute = (ctx) => ctx.chat.completions.create({ model: 'echo', messages: [{ role: 'user', content: 'x' }] });",
  );
  const refused = await call(team, "chat");
  expect(refused).toMatchObject({ status: 429, code: "budget_exceeded" });
  const { data } = await team("GET", "/api/v1/workflows/chat");
  const before = (await team("GET", "/api/v1/runs")).body["data"] as readonly Json[];
  const hatz = await team("POST", "/v1/workflows/run", { app_id: String(data["uuid"] ?? data["id"]), inputs: {} });
  expect(hatz).toMatchObject({
    status: 429,
    body: { detail: "Workflows have been rate limited for your organization due to a credit overage." },
  });
  expect((await team("GET", "/api/v1/runs")).body["data"]).toHaveLength(before.length);
  await owner("POST", "/api/v1/accounts/team/budgets/add", { add: { calls: 5 } });
  expect((await call(team, "chat")).status).toBe(200);
});

test("limits of an account count all its keys together; the owner's account has none by default", async () => {
  await owner("PATCH", "/api/v1/accounts/team", { requests_per_minute: 3 });
  const other = sender(server, await makeKey(owner, { name: "other" }, "/api/v1/accounts/team/keys"));
  const statuses: number[] = [];
  for (const send of [team, other, team, other, team]) statuses.push((await send("GET", "/v1/models")).status);
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  await owner("PATCH", "/api/v1/accounts/team", { requests_per_minute: null });
  expect((await other("GET", "/v1/models")).status).toBe(200);
});

test("a suspended account is refused until it is resumed", async () => {
  expect((await owner("PATCH", "/api/v1/accounts/owner", { suspended: true })).status).toBe(409);
  await owner("PATCH", "/api/v1/accounts/team", { suspended: true });
  const refused = await call(team, "echo");
  expect(refused.status).toBe(401);
  expect(JSON.stringify(refused.body)).toContain("suspended");
  await owner("PATCH", "/api/v1/accounts/team", { suspended: false });
  expect((await call(team, "echo")).status).toBe(200);
});

test("management actions are written down with who, what, when and from where; an account sees its own", async () => {
  const before = (await owner("GET", "/api/v1/audit?limit=1000")).body["data"] as readonly Json[];
  const after = Number(before.at(-1)?.["seq"]);
  await upload(team, "audited", ECHO);
  await call(team, "audited");
  await team("DELETE", "/api/v1/workflows/audited", undefined, { "x-request-id": "my-request" });
  await team("DELETE", "/api/v1/workflows/audited");
  await makeKey(owner, { name: "written down", scopes: ["read"] });
  const reader = sender(server, await makeKey(owner, { name: "curious", scopes: ["read"] }));
  await reader("DELETE", "/api/v1/workflows/echo");
  await reader("GET", "/api/v1/keys");
  const mine = (await team("GET", `/api/v1/audit?after=${after}`)).body["data"] as readonly Json[];
  expect(mine.map(({ action, status }) => [action, status])).toEqual([
    ["POST /api/v1/workflows/upload", 200],
    ["DELETE /api/v1/workflows/:ref", 200],
    ["DELETE /api/v1/workflows/:ref", 404],
  ]);
  expect(mine[1]).toMatchObject({
    key: { name: "first" },
    target: { ref: "audited" },
    address: "127.0.0.1",
    request_id: "my-request",
    at: expect.closeTo(Date.now() / 1_000, -3),
  });
  const all = (await owner("GET", `/api/v1/audit?after=${after}`)).body["data"] as readonly Json[];
  expect(all.slice(mine.length).map(({ action, status, target }) => [action, status, target])).toEqual([
    ["POST /api/v1/keys", 201, { name: "written down", scopes: ["read"] }],
    ["POST /api/v1/keys", 201, { name: "curious", scopes: ["read"] }],
    ["DELETE /api/v1/workflows/:ref", 403, { ref: "echo" }],
  ]);
  const first = (await owner("GET", `/api/v1/audit?after=${after}&limit=2`)).body;
  expect(first["data"]).toHaveLength(2);
  expect(first["next_after"]).toBe((first["data"] as readonly Json[])[1]?.["seq"]);
  expect((await owner("GET", `/api/v1/audit?after=${after}&account=team`)).body["data"]).toEqual(mine);
  expect(JSON.stringify(all)).not.toContain("weft_");
});
