import { expect, test } from "vitest";
import { keyOf, parseKeyPath } from "../../../src/engine/config/key-path.ts";

const key = (path: string, data: unknown) => keyOf(parseKeyPath("key", path), data);

test("the same value has the same key, another one another", () => {
  const one = key("input.customer.id", { input: { customer: { id: 7 } } });
  expect(one).toHaveLength(22);
  expect(key("input.customer.id", { input: { customer: { id: 7 }, more: 1 } })).toBe(one);
  expect(key("input.customer.id", { input: { customer: { id: "7" } } })).not.toBe(one);
});

test("the order of members does not matter", () => {
  expect(key("metadata.who", { metadata: { who: { a: 1, b: 2 } } })).toBe(
    key("metadata.who", { metadata: { who: { b: 2, a: 1 } } }),
  );
});

test("calls without the value share a key, and nothing inherited counts", () => {
  expect(key("input.id", { input: null })).toBe("");
  expect(key("input.constructor", { input: {} })).toBe("");
  expect(keyOf(null, { input: 1 })).toBe("");
});
