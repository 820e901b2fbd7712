import { expect, test } from "vitest";
import { toReport } from "../../bench/report.ts";
import { type Row, toRow } from "../../bench/row.ts";

const run = (startedAt: string, rows: readonly Row[], cpu = "A") => ({
  ...{ startedAt, isRough: false, rows },
  before: { cpu, cores: 2, node: "v26.10.0" },
});
const GOAL = { figure: "ratio", atLeast: 0.25 } as const;
const cached = (ratio: number | null) => toRow("cached", { ratio, baseline: "fastify", goal: GOAL });
const plotsOf = (page: string) => page.match(/<figure .*?<\/figure>/gs) ?? [];

test("the newest figures of each case on this machine, with their targets and plots", async () => {
  const step = (x: number, cpuMicros: number) => toRow(`growth-${x}`, { cpuMicros, at: { series: "growth", x } });
  const page = await toReport([
    run("2026-11-01T00:00:00.000Z", [cached(0.9)], "B"),
    run("2026-11-02T00:00:00.000Z", [cached(0.2), toRow("start", { amount: 800, unit: "ms" })]),
    run("2026-11-03T00:00:00.000Z", [cached(0.5), step(1_000, 20), step(1, 10)]),
  ]);
  expect(page).toContain("2 runs, the last on 2026-11-03: 2 × A, Node v26.10.0.");
  expect(page).toMatch(/<th>cached<.*>0.5<.*>fastify<.*≥ 0.25 × fastify.*>met<.*2026-11-03/);
  expect(page).toMatch(/<th>start<.*800 ms.*2026-11-02/);
  const [targets = "", growth = "", ratios = "", ...others] = plotsOf(page);
  expect(others).toEqual([]);
  expect(targets).toMatch(/<svg.*>cached</s);
  expect(growth).toMatch(/>growth<.*<svg.*>1<.*>1k</s);
  expect(ratios).toMatch(/<svg.*>cached</s);
});

test("a figure that fell short, one far past its target, and one that is missing are drawn", async () => {
  const start = (amount: number) => toRow("start", { amount, unit: "ms", goal: { figure: "amount", atMost: 1_500 } });
  const page = await toReport([
    run("2026-11-02T00:00:00.000Z", [cached(null), start(0), { ...start(2_000), name: "late" }]),
  ]);
  const [targets = "", ...others] = plotsOf(page);
  expect(others).toEqual([]);
  expect(targets).toMatch(/>cached<.*>start<.*>late</s);
  expect(targets).not.toMatch(/NaN|Infinity/);
});

test("the page runs nothing and loads nothing", async () => {
  const runs = ["2026-11-02", "2026-11-03"].map((day) => run(`${day}T00:00:00.000Z`, [cached(0.5)]));
  const page = (await toReport(runs)).replaceAll(/xmlns(:xlink)?="[^"]*"/g, "");
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<script|<link|<img|<image|https?:|url\(| on\w+=/);
});

test("what stands in results is text, in the table and in the plots", async () => {
  const row = toRow("</svg><b>", {
    ...{ failure: "<i>", cpuMicros: 1, ratio: 1, goal: GOAL },
    at: { series: "<u>", x: 1 },
  });
  const runs = ["2026-11-02", "2026-11-03"].map((day) => run(`${day}T00:00:00.000Z`, [row], "<s>"));
  const page = await toReport(runs);
  expect(page).not.toMatch(/<[bius]>/);
  expect(page.match(/<\/svg>/g)).toHaveLength(3);
  for (const part of [...plotsOf(page).filter((plot) => !plot.includes("&lt;u&gt;")), page.split("<h2>Figures").at(-1)])
    expect(part).toContain("&lt;/svg&gt;&lt;b&gt;");
});

test("runs with --quick or --profile are left out", async () => {
  const rough = { ...run("2026-11-03T00:00:00.000Z", [toRow("start", { amount: 1 })]), isRough: true };
  const page = await toReport([run("2026-11-02T00:00:00.000Z", [toRow("start", { amount: 800, unit: "ms" })]), rough]);
  expect(page).toContain("1 run, the last on 2026-11-02");
  expect(page).toContain("800 ms");
  await expect(toReport([rough])).rejects.toThrow("no results without --quick");
});

test("no directory of the machine is in the page", async () => {
  const failure = "Error: /home/me/weft/bench/x.ts, file:///tmp/a/y.ts: http://127.0.0.1:80/api/v1 gave 500";
  const page = await toReport([run("2026-11-02T00:00:00.000Z", [toRow("start", { failure })])]);
  expect(page).toContain("Error: …/x.ts, …/y.ts: http://127.0.0.1:80/api/v1 gave 500");
});

test("without results there is nothing to report", async () => {
  await expect(toReport([])).rejects.toThrow("there are no results");
});
