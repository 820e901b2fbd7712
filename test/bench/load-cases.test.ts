import { expect, test } from "vitest";
import { CASES } from "../../bench/cases/index.ts";
import { LOAD_CASES, selectLoadCases } from "../../bench/load-cases.ts";

const names = (selected: readonly { readonly name: string }[]) => selected.map(({ name }) => name);

test("a case brings the baselines it is compared with, before it", () => {
  expect(names(selectLoadCases(["isolate"]))).toEqual(["fastify", "naive-isolate", "isolate"]);
});

test("a case that is no load case brings none", () => {
  expect(selectLoadCases(["resume"])).toEqual([]);
});

test("no two cases have the same name", () => {
  const all = names([...LOAD_CASES, ...CASES]);
  expect(new Set(all).size).toBe(all.length);
});
