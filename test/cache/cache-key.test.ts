import { expect, test } from "vitest";
import { type CacheKeyParts, cacheKey } from "../../src/cache/cache-key.ts";
import { canonical } from "../../src/cache/canonical.ts";

const parts: CacheKeyParts = {
  versionId: "v",
  envRevision: 0,
  input: { b: 1, a: [1, { d: null, c: "x" }] },
  messages: [],
  params: { temperature: 0 },
  metadata: {},
  secrets: {},
};

test("canonical text does not depend on the order of members", () => {
  expect(canonical({ b: 1, a: { d: 2, c: 3 } })).toBe('{"a":{"c":3,"d":2},"b":1}');
  expect(canonical([undefined, null, { a: undefined }])).toBe("[null,null,{}]");
  expect(canonical('"\n\u2028')).toBe(JSON.stringify('"\n\u2028'));
});

test("equal calls have equal keys", () => {
  expect(cacheKey({ ...parts, input: { a: [1, { c: "x", d: null }], b: 1 } })).toBe(cacheKey(parts));
  expect(cacheKey({ ...parts, input: undefined })).toBe(cacheKey({ ...parts, input: null }));
});

test("streaming is not part of the key", () => {
  expect(cacheKey({ ...parts, params: { stream: true, temperature: 0 } })).toBe(cacheKey(parts));
});

test.each([
  ["version", { versionId: "w" }],
  ["environment", { envRevision: 1 }],
  ["input", { input: { b: 1, a: [1, { d: null, c: "y" }] } }],
  ["messages", { messages: [{ role: "user", content: "x" }] }],
  ["params", { params: { temperature: 1 } }],
  ["metadata", { metadata: { a: 1 } }],
  ["secrets", { secrets: { token: "abcdef" } }],
  ["mark of stored secrets", { stored: "mark" }],
])("another %s gives another key", (_name, change) => {
  expect(cacheKey({ ...parts, ...change })).not.toBe(cacheKey(parts));
});

test("parts cannot run into each other", () => {
  const a = cacheKey({ ...parts, input: "x", metadata: {} });
  const b = cacheKey({ ...parts, input: null, metadata: { x: 1 } });
  expect(a).not.toBe(b);
  expect(cacheKey({ ...parts, input: "1\n[]" })).not.toBe(cacheKey({ ...parts, input: "1", messages: [[]] }));
});

test("other secret values give other keys, and the key does not contain them", () => {
  const one = cacheKey({ ...parts, secrets: { token: "one" } });
  expect(cacheKey({ ...parts, secrets: { token: "two" } })).not.toBe(one);
  expect(one).toMatch(/^[\w-]{43}$/);
});
