import { expect, test } from "vitest";
import { compareRows, toComparison } from "../../bench/compare.ts";
import { type Row, toRow } from "../../bench/row.ts";

const load = (ratio: number, perSecond: number) => toRow("frozen", { ratio, baseline: "naive-context", perSecond });
const start = (amount: number) => toRow("start", { amount, unit: "ms", goal: { figure: "amount", atMost: 1_500 } });

test("ratios to a baseline come first; more is better of rates, less of times; what noise does is neither", () => {
  const changes = compareRows([load(1, 4_000), start(800)], [load(1.5, 3_000), start(780), toRow("new", { p50Ms: 1 })]);
  expect(changes).toEqual([
    { name: "frozen", figure: "× naive-context", before: 1, after: 1.5, ratio: 1.5, verdict: "better" },
    { name: "frozen", figure: "per second", before: 4_000, after: 3_000, ratio: 0.75, verdict: "worse" },
    { name: "start", figure: "ms", before: 800, after: 780, ratio: 0.975, verdict: "" },
  ]);
  expect(compareRows([start(800)], [start(1_600)])).toMatchObject([{ ratio: 2, verdict: "worse" }]);
  expect(() => compareRows([start(1)], [load(1, 1)])).toThrow("no case in common");
});

test("a figure of another baseline or in another unit is another figure", () => {
  const [old] = [toRow("frozen", { ratio: 1, baseline: "fastify", perSecond: 4_000 })];
  expect(compareRows([old], [load(2, 4_000)])).toMatchObject([{ figure: "per second" }]);
  expect(() => compareRows([start(1)], [toRow("start", { amount: 1, unit: "s" })])).toThrow("no case in common");
});

test("of a ratio whose target is a most, less is better", () => {
  const jobs = (ratio: number) =>
    toRow("jobs-waiting", { ratio, baseline: "jobs-0-waiting", goal: { figure: "ratio", atMost: 1.2 } });
  expect(compareRows([jobs(1)], [jobs(2)])).toMatchObject([{ ratio: 2, verdict: "worse" }]);
  expect(compareRows([jobs(2)], [jobs(1)])).toMatchObject([{ ratio: 0.5, verdict: "better" }]);
});

test("an amount below zero, such as memory that was given back, has no ratio", () => {
  const memory = (amount: number) => toRow("waiting-memory", { amount, unit: "MiB" });
  for (const [before, after] of [
    [5, -0.2],
    [-0.2, 5],
    [-0.2, -0.4],
    [0, 5],
  ] as const)
    expect(compareRows([memory(before)], [memory(after)])).toMatchObject([{ before, after, ratio: null, verdict: "" }]);
  expect(compareRows([memory(5)], [memory(0)])).toMatchObject([{ ratio: 0, verdict: "better" }]);
});

const run = (cpu: string, rows: readonly Row[] = [start(900)]) => ({
  ...{ startedAt: "2026-11-27T00:00:00.000Z", isRough: false, rows },
  before: { cpu, cores: 2, node: "v26.10.0" },
});

test("other machines are named, and that their times say nothing", () => {
  expect(toComparison(run("A"), run("A"))).not.toContain("different");
  const text = toComparison(run("A"), run("B"));
  expect(text).toContain("before 2026-11-27T00:00:00.000Z: 2 × A, Node v26.10.0");
  expect(text).toContain("after  2026-11-27T00:00:00.000Z: 2 × B, Node v26.10.0");
  expect(text).toContain("different machines");
  expect(text).toMatch(/^start +900 +900 +1 {2}ms$/m);
});

test("so are another Node, and a run that was cut short", () => {
  const other = { ...run("A"), before: { cpu: "A", cores: 2, node: "v26.11.0" } };
  expect(toComparison(run("A"), other)).toContain("different versions of Node");
  expect(toComparison(run("A"), { ...run("A"), isRough: true })).toContain("shortened (--quick)");
});

test("a case that has no figure in one of the runs is named", () => {
  const before = [start(900), load(1, 4_000), toRow("old", { amount: 1 })];
  const text = toComparison(run("A", before), run("A", [start(900), toRow("frozen", { failure: "it broke" })]));
  expect(text).toContain("Without the same figure in both runs: frozen, old");
});
