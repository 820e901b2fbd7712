import { expect, test } from "vitest";
import { parseCase, readCases } from "./harness.ts";
import { differenceOf } from "./match.ts";

const FOLDERS = ["maitai", "solcognia", "hatz", "motte", "powabase", "powabase-limits", "across"];

test("every check of the contract has a case", () => {
  const found = new Set(FOLDERS.flatMap((folder) => readCases(folder).map(({ parsed }) => parsed.check)));
  expect([...found].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, i) => i + 1));
});

const CASE = { check: 1, says: "x", steps: [{ request: { method: "GET", path: "/" }, response: { status: 200 } }] };

test.each([
  ["a case that asserts nothing", { ...CASE, steps: [{ request: { method: "GET", path: "/" } }] }, /asserts nothing/],
  ["an unknown member", { ...CASE, more: 1 }, /no member more/],
  ["an unknown member of a step", { ...CASE, steps: [{ ...CASE.steps[0], expects: 1 }] }, /no member expects/],
  ["a name without its number", { ...CASE, check: 2 }, /must begin with 2-/],
])("%s is refused", (_what, raw, message) => {
  expect(() => parseCase(JSON.stringify(raw), "01-x.json")).toThrow(message);
});

test.each([
  ["another value", 1, 2],
  ["a missing member", {}, { a: 1 }],
  ["a member too many", { a: 1, b: 2 }, { $exact: { a: 1 } }],
  ["a member that must not be there", { a: 1 }, { a: { $absent: 1 } }],
  ["another number of elements", [1], [1, 2]],
  ["no UUID", "x", { $uuid: 1 }],
  ["no such element", [1, 2], { $contains: [3] }],
  ["other keys", { a: 1 }, { $keys: ["b"] }],
])("the matcher sees %s", (_what, value, expected) => {
  expect(differenceOf(value, expected)).toEqual(expect.any(String));
});
