import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { toReport } from "../../bench/report.ts";
import { type Row, toRow } from "../../bench/row.ts";

const LIBRARY = { script: "/* plots */", style: "/* looks */" };
const run = (startedAt: string, rows: readonly Row[], cpu = "A") => ({
  ...{ startedAt, isRough: false, rows },
  before: { cpu, cores: 2, node: "v26.10.0" },
});
const plotsOf = (page: string) => JSON.parse(/const PLOTS=(.*?);const colours/s.exec(page)?.[1] ?? "");

test("the newest figures of each case on this machine, with their targets and plots", () => {
  const ratio = (value: number) =>
    toRow("cached", { ratio: value, baseline: "fastify", goal: { figure: "ratio", atLeast: 0.25 } });
  const step = (x: number, cpuMicros: number) => toRow(`growth-${x}`, { cpuMicros, at: { series: "growth", x } });
  const page = toReport(
    [
      run("2026-11-01T00:00:00.000Z", [ratio(0.9)], "B"),
      run("2026-11-02T00:00:00.000Z", [ratio(0.2), toRow("start", { amount: 800, unit: "ms" })]),
      run("2026-11-03T00:00:00.000Z", [ratio(0.5), step(1_000, 20), step(1, 10)]),
    ],
    LIBRARY,
  );
  expect(page).toContain("2 runs, the last on 2026-11-03: 2 × A, Node v26.10.0.");
  expect(page).toMatch(/>cached<.*>0.5<.*≥ 0.25 × fastify.*>met<.*value="2.00"/);
  expect(page).toMatch(/title="2026-11-02T00:00:00.000Z">start<.*800 ms/);
  expect(plotsOf(page)).toMatchObject([
    { title: "growth", x: [1, 1_000], lines: [{ values: [10, 20] }, { values: [null, null] }] },
    { axis: "time", lines: [{ label: "cached", values: [0.2, 0.5] }] },
  ]);
  // The page's own script, as a browser runs it.
  const drawn: unknown[][] = [];
  class Plot {
    constructor(...parts: unknown[]) {
      drawn.push(parts);
    }
  }
  const script = page.split("<script>").at(-1)?.split("</script>")[0] ?? "";
  runInNewContext(script, { uPlot: Plot, document: { querySelector: (name: string) => name } });
  expect(drawn).toMatchObject([
    [
      { title: "growth", series: [{}, { label: "CPU µs per call" }, { scale: "right" }] },
      [
        [1, 1_000],
        [10, 20],
        [null, null],
      ],
      ".plots",
    ],
    [{ series: [{}, { label: "cached" }] }, {}, ".plots"],
  ]);
});

test("what stands in results is text, in the page and in its script", () => {
  const page = toReport(
    [run("2026-11-02T00:00:00.000Z", [toRow("</script><b>", { failure: "<i>", at: { series: "</script>", x: 1 } })])],
    LIBRARY,
  );
  expect(page).not.toContain("<b>");
  expect(page).not.toContain("<i>");
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  expect(plotsOf(page)[0].title).toBe("</script>");
});

test("runs with --quick or --profile are left out", () => {
  const rough = { ...run("2026-11-03T00:00:00.000Z", [toRow("start", { amount: 1 })]), isRough: true };
  const page = toReport(
    [run("2026-11-02T00:00:00.000Z", [toRow("start", { amount: 800, unit: "ms" })]), rough],
    LIBRARY,
  );
  expect(page).toContain("1 run, the last on 2026-11-02");
  expect(page).toContain("800 ms");
  expect(() => toReport([rough], LIBRARY)).toThrow("no results without --quick");
});

test("no directory of the machine is in the page", () => {
  const failure = "Error: /home/me/weft/bench/x.ts, file:///tmp/a/y.ts: http://127.0.0.1:80/api/v1 gave 500";
  const page = toReport([run("2026-11-02T00:00:00.000Z", [toRow("start", { failure })])], LIBRARY);
  expect(page).toContain("Error: …/x.ts, …/y.ts: http://127.0.0.1:80/api/v1 gave 500");
});

test("without results there is nothing to report", () => {
  expect(() => toReport([], LIBRARY)).toThrow("there are no results");
});
