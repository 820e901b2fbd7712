import { expect, test } from "vitest";
import { isNestedOver, nestingError } from "../../runtime/worker/nesting.ts";

const nest = (depth: number, inside = "1") => `${'[{"a":'.repeat(depth / 2)}${inside}${"}]".repeat(depth / 2)}`;

test("levels are counted outside of strings only", () => {
  expect(isNestedOver(nest(500), 500)).toBe(false);
  expect(isNestedOver(nest(502), 500)).toBe(true);
  const brackets = JSON.stringify(`\\"${"[{".repeat(2_000)}\\`);
  expect(isNestedOver(nest(500, brackets), 500)).toBe(false);
  expect(isNestedOver(`[${nest(10, brackets)},${nest(502)}]`, 500)).toBe(true);
  expect(isNestedOver(JSON.stringify(Array.from({ length: 3_000 }, () => [{}])), 500)).toBe(false);
});

test("texts that are no JSON are only looked at", () => {
  for (const text of ["", '"'.repeat(2_001), "\\".repeat(2_001), "]".repeat(2_001)])
    expect(isNestedOver(text, 500)).toBe(false);
});

test("the error names limit and value", () => {
  expect(nestingError(["1", nest(400)])).toBeNull();
  expect(JSON.parse(nestingError(["1", nest(600)]) ?? "")).toMatchObject({
    code: "LIMIT_EXCEEDED",
    message: expect.stringContaining("500 levels deep (maxDepth)"),
    details: { limit: "maxDepth", value: 500 },
  });
});
