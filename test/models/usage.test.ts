import { expect, test } from "vitest";
import type { ResolvedModel } from "../../runtime/models/resolve.ts";
import { toUsage } from "../../runtime/models/usage.ts";

const target = { name: "m", route: { promptPrice: 2, completionPrice: 4 } } as ResolvedModel;
const usageOf = (prompt: unknown, completion: unknown) =>
  toUsage(target, 1, { usage: { prompt_tokens: prompt, completion_tokens: completion } });

test("tokens are what the upstream reports, with their price", () => {
  expect(usageOf(1_000_000, 500_000)).toMatchObject({ promptTokens: 1_000_000, completionTokens: 500_000, costUsd: 4 });
  expect(toUsage(target, 2, { usage: null })).toMatchObject({ attempts: 2, promptTokens: 0, costUsd: 0 });
});

test.each([
  [1.4, 1],
  [Number.POSITIVE_INFINITY, 1e12],
  [1e300, 1e12],
  [-3, 0],
  [Number.NaN, 0],
  ["7", 0],
])("%j tokens are %d: the store takes whole numbers only", (reported, tokens) => {
  expect(usageOf(reported, reported)).toMatchObject({ promptTokens: tokens, completionTokens: tokens });
});
