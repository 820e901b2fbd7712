import { expect, test } from "vitest";
import type { CtxData } from "../../runtime/index.ts";
import { setPaths } from "../../src/engine/data-paths.ts";
import { thrownBy } from "../support/thrown.ts";

const DATA: CtxData = {
  input: { customer: { name: "Ann" }, items: [1, 2] },
  messages: [],
  params: {},
  env: {},
  metadata: {},
  session_id: "s",
  request_id: "r",
  workflow_info: { ref_name: "w", version: "1.0.0", depth: 0 },
  accessories: [],
};

const set = (paths: Record<string, unknown>) => setPaths(DATA, paths);

test("members are replaced in a copy, and made where there are none", () => {
  const { input, params } = set({ "input.customer.name": "Eve", "input.items.2": 3, "params.a.b": true });
  expect(input).toEqual({ customer: { name: "Eve" }, items: [1, 2, 3] });
  expect(params).toEqual({ a: { b: true } });
  expect(DATA.input).toEqual({ customer: { name: "Ann" }, items: [1, 2] });
});

test("a member called __proto__ stays data", () => {
  const { input } = set(JSON.parse('{"input.__proto__.polluted": 1}') as Record<string, unknown>);
  expect(JSON.stringify(input)).toContain('"__proto__":{"polluted":1}');
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("what callers may not send is refused", () => {
  const said = (paths: Record<string, unknown>) => thrownBy(() => set(paths)).message;
  expect(said({ messages: "hello" })).toBe('set: "messages" must stay a list of objects');
  expect(said({ "messages.0": 1 })).toBe('set: "messages" must stay a list of objects');
  expect(said({ params: null })).toBe('set: "params" must stay an object');
  expect(said({ metadata: [] })).toBe('set: "metadata" must stay an object');
  expect(said({ "env.A": 1 })).toBe('set: "env" must stay an object of texts');
  expect(said({ "input.items.9": 1 })).toContain("has no item");
  expect(said({ "input.items.0.x": 1 })).toContain("leads into a value");
});

test("many paths into a large value do not copy it each time", () => {
  const large = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]));
  const paths = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`input.k${i}`, -i]));
  const { input } = setPaths({ ...DATA, input: large }, paths);
  expect((input as Record<string, number>)["k49999"]).toBe(-49_999);
});
