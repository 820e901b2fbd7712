import { beforeAll, expect, test, vi } from "vitest";
import { MethodTable } from "../../../src/http/method-table.ts";
import { NAMED_ROUTES, scopesOf } from "../../../src/http/scopes.ts";
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
  const reached = routes.filter(([method, url]) => method !== "HEAD" && scopesOf(method, url).includes("invoke"));
  const families =
    /chat\/completions|\/models|\/runs\/:id|\/executions|execute|\/files|events$|approvals\/:id|arm$|rating$|schedules\/:id\/run$|keys\/current|^\/v1\/workflows\/(run|:id|presigned-url)$/;
  expect(reached.filter(([, url]) => !families.test(url))).toEqual([]);
  expect(reached.filter(([method]) => ["PUT", "PATCH", "DELETE"].includes(method))).toEqual([]);
});

test("keys, budgets, the audit log and accounts need admin", () => {
  const guarded = routes.filter(([, url]) => /^\/api\/v1\/(keys|accounts|audit)/.test(url));
  expect(guarded.length).toBeGreaterThan(20);
  const others = guarded.filter(([method, url]) => scopesOf(method, url).join() !== "admin").map(([, url]) => url);
  expect([...new Set(others)]).toEqual(["/api/v1/keys/current"]);
  expect(scopesOf("PUT", "/api/v1/budgets")).toEqual(["admin"]);
});
