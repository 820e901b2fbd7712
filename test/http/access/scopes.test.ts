import { beforeAll, expect, test, vi } from "vitest";
import { MethodTable } from "../../../src/http/method-table.ts";
import { NAMED_ROUTES, rulesOf } from "../../../src/http/scopes.ts";
import { startTestServer } from "../../support/server.ts";

let routes: readonly (readonly [method: string, url: string])[];

beforeAll(async () => {
  const added = vi.spyOn(MethodTable.prototype, "add");
  const server = await startTestServer({ WEFT_WORKERS: "1" });
  await server.close();
  routes = added.mock.calls.flatMap(([methods, url]) => [methods].flat().map((method) => [method, url] as const));
});

test("every route that the table of scopes names is there", () => {
  const texts = routes.map(([method, url]) => `${method} ${url}`);
  expect(NAMED_ROUTES.filter((route) => !texts.includes(route))).toEqual([]);
});

test("a key for calls alone reaches what runs workflows and follows runs, and changes nothing else", () => {
  const reached = routes.filter(([method, url]) => method !== "HEAD" && rulesOf(method, url).scopes.includes("invoke"));
  const families =
    /chat\/completions|\/models|\/runs\/:id|\/executions|execute|\/files|events$|approvals\/:id|arm$|rating$|schedules\/:id\/run$|keys\/current|^\/v1\/workflows\/(run|:id|presigned-url)$/;
  expect(reached.filter(([, url]) => !families.test(url))).toEqual([]);
  expect(reached.filter(([method]) => ["PUT", "PATCH", "DELETE"].includes(method))).toEqual([]);
});

test("keys, budgets, the audit log and accounts need admin", () => {
  const guarded = routes.filter(([, url]) => /^\/api\/v1\/(keys|accounts|audit)/.test(url));
  expect(guarded.length).toBeGreaterThan(20);
  const others = guarded
    .filter(([method, url]) => rulesOf(method, url).scopes.join() !== "admin")
    .map(([, url]) => url);
  expect([...new Set(others)]).toEqual(["/api/v1/keys/current"]);
  expect(rulesOf("PUT", "/api/v1/budgets").scopes).toEqual(["admin"]);
});

test("what changes something is written down; runs, their files and what only looks are not", () => {
  const changing = routes.filter(([method]) => !["GET", "HEAD", "OPTIONS"].includes(method));
  const unwritten = changing.filter(([method, url]) => !rulesOf(method, url).isAudited).map((route) => route.join(" "));
  const families =
    /^POST .*(chat\/completions|execute|execute\/stream|\/workflows\/run|\/files|\/upload|upload-url|\/url|events|presigned-url|arm|rating|validate|check|search|query|count|records\/get)$/;
  expect(unwritten.filter((route) => !families.test(route))).toEqual([]);
  for (const route of ["DELETE /api/v1/files/:id", "POST /api/v1/keys", "POST /api/v1/runs/:id/cancel"]) {
    const [method = "", url = ""] = route.split(" ");
    expect(routes).toContainEqual([method, url]);
    expect(rulesOf(method, url).isAudited).toBe(true);
  }
  const starts = routes.filter(([method, url]) => rulesOf(method, url).isStart);
  expect(starts).toHaveLength(10);
  expect(starts.filter(([method, url]) => method !== "POST" || !/completions|execute|run$/.test(url))).toEqual([]);
});
