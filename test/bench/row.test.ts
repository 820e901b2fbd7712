import { describe, expect, test } from "vitest";
import { isMet, toRow } from "../../bench/row.ts";
import { toTable } from "../../bench/table.ts";

describe("goals", () => {
  test("a figure on the bound meets it", () => {
    expect(isMet(toRow("a", { ratio: 0.25, goal: { figure: "ratio", atLeast: 0.25 } }))).toBe(true);
    expect(isMet(toRow("a", { p50Ms: 1.5, goal: { figure: "p50Ms", atMost: 1.5 } }))).toBe(true);
  });

  test("a figure beyond the bound does not", () => {
    expect(isMet(toRow("a", { ratio: 0.24, goal: { figure: "ratio", atLeast: 0.25 } }))).toBe(false);
    expect(isMet(toRow("a", { amount: 2.1, goal: { figure: "amount", atMost: 2 } }))).toBe(false);
  });

  test("a case that failed has not met its goal", () => {
    expect(isMet(toRow("a", { failure: "it broke", goal: { figure: "ratio", atLeast: 1 } }))).toBe(false);
  });

  test("without a goal there is nothing to meet", () => {
    expect(isMet(toRow("a", { perSecond: 5 }))).toBeNull();
  });
});

describe("table", () => {
  const table = toTable([
    toRow("cached", {
      p50Ms: 0.4567,
      perSecond: 31_234.5,
      ratio: 0.512,
      baseline: "fastify",
      goal: { figure: "ratio", atLeast: 0.25 },
    }),
    toRow("idle", { amount: 312.4, unit: "MiB", goal: { figure: "amount", atMost: 250 } }),
    toRow("resume", { failure: "Error: it broke" }),
  ]);

  test("shows figures with three digits, the target and whether it is met", () => {
    expect(table).toMatch(/^cached +0\.457 +31,235 +0\.512 {2}fastify +≥ 0\.25 × fastify {2}met$/m);
    expect(table).toMatch(/^idle +312 MiB +≤ 250 MiB +NOT MET$/m);
  });

  test("shows why a case has no figures", () => {
    expect(table).toMatch(/^resume +Error: it broke$/m);
  });
});
