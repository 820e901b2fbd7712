import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { escapeHtml } from "../src/http/dialects/approval-page/html.ts";
import { type EarlierResults, readResults } from "./earlier.ts";
import { root } from "./program.ts";
import { RESULTS_DIR } from "./results.ts";
import { isMet, type Row } from "./row.ts";
import { toFigure, toTarget } from "./table.ts";

const PAGE = join(root, "bench", "report.html");
/** An absolute path up to its last part, but not one in an address. */
const DIRECTORY = /(?:file:\/\/|(?<![\w:/.]))\/(?:[\w.@+-]+\/)+/g;

/** A plot: lines over a common axis. */
interface Plot {
  readonly title: string;
  /** `log`: how much of something there was; `time`: when it was measured, seconds since the epoch. */
  readonly axis: "log" | "time";
  readonly x: readonly number[];
  readonly lines: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
}

/** A row and when it was measured. */
interface Dated {
  readonly row: Row;
  readonly startedAt: string;
}

/** The newest figures of each case, in the order of the bench; a run need not have measured all. */
function newestRows(runs: readonly EarlierResults[]): readonly Dated[] {
  const found = new Map<string, Dated>();
  for (const { startedAt, rows } of runs) for (const row of rows) found.set(row.name, { row, startedAt });
  return [...found.values()];
}

function growthPlots(rows: readonly Dated[]): readonly Plot[] {
  const series = new Map<string, Row[]>();
  for (const { row } of rows) {
    if (row.at !== null && row.at !== undefined) series.set(row.at.series, [...(series.get(row.at.series) ?? []), row]);
  }
  return [...series].map(([title, steps]) => {
    const sorted = steps.toSorted((one, other) => (one.at?.x ?? 0) - (other.at?.x ?? 0));
    const line = (label: string, of: (row: Row) => number | null) => ({ label, values: sorted.map(of) });
    return {
      ...{ title, axis: "log", x: sorted.map(({ at }) => at?.x ?? 0) },
      lines: [line("CPU µs per call", (row) => row.cpuMicros), line("calls per second", (row) => row.perSecond)],
    };
  });
}

function historyPlot(runs: readonly EarlierResults[]): Plot {
  const names = new Set(runs.flatMap(({ rows }) => rows.filter(({ ratio }) => ratio !== null).map(({ name }) => name)));
  const ratioIn = ({ rows }: EarlierResults, name: string) => rows.find((row) => row.name === name)?.ratio ?? null;
  const lines = [...names].map((label) => ({ label, values: runs.map((run) => ratioIn(run, label)) }));
  const x = runs.map(({ startedAt }) => Date.parse(startedAt) / 1_000);
  return { title: "Ratios to the baselines of the same run", axis: "time", x, lines };
}

/** How far a figure is on its way to the goal: 1 = there. */
function attainment({ goal, ...row }: Row): number | null {
  if (goal === null) return null;
  const value = row[goal.figure];
  if (value === null) return 0;
  return "atLeast" in goal ? value / goal.atLeast : goal.atMost / Math.max(value, Number.EPSILON);
}

/** Why there is no figure, without the directories of this machine: the page is in version control. */
const toReason = (failure: string): string => failure.replaceAll(DIRECTORY, "…/");

function toLine({ row, startedAt }: Dated): string {
  const figures = [row.p50Ms, row.p99Ms, row.perSecond, row.cpuMicros, row.ratio].map(toFigure);
  const share = attainment(row);
  const bar =
    share === null
      ? ""
      : `<meter min="0" max="2" low="1" optimum="2" value="${Math.min(2, share).toFixed(2)}"></meter>`;
  const met = { true: "met", false: "not met", null: "" }[String(isMet(row)) as "true" | "false" | "null"];
  const amount = row.amount === null ? "" : `${toFigure(row.amount)} ${row.unit}`;
  const texts = [row.failure === null ? amount : toReason(row.failure), toTarget(row), met].map(escapeHtml);
  const cells = [
    ...figures.map((figure) => `<td class="n">${figure}</td>`),
    ...texts.map((text) => `<td>${text}</td>`),
  ];
  return `<tr><th title="${escapeHtml(startedAt)}">${escapeHtml(row.name)}</th>${cells.join("")}<td>${bar}</td></tr>`;
}

const STYLE = `:root{color-scheme:light dark;font:14px/1.5 system-ui,sans-serif}body{max-width:75rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #8884;font-weight:400}
thead th{font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}.plots{display:flex;flex-wrap:wrap;gap:2rem}
.u-legend{font-size:12px}meter{width:8rem}`;

/** Runs in the browser: draws the plots. */
const DRAW = `const colours=["#2a7fff","#e5732a","#2aa876","#b04ad6","#d6404a","#8a8a2a","#4ab0d6","#888","#d64a9b","#5a5ad6","#3a8a3a","#aa7744"];
for(const plot of PLOTS){const grid={stroke:"#8883"},axis={stroke:"#888",grid};
const log=plot.axis==="log";new uPlot({title:plot.title,width:560,height:300,
scales:log?{x:{time:false,distr:3,log:10},y:{range:(u,min,max)=>[0,max*1.2]},right:{range:(u,min,max)=>[0,max*1.2]}}:{},
axes:[axis,axis,...(log?[{...axis,side:1,scale:"right",grid:{show:false}}]:[])],
series:[{},...plot.lines.map((line,i)=>({label:line.label,stroke:colours[i%colours.length],width:2,spanGaps:true,scale:log&&i===1?"right":"y",points:{show:true}}))]},
[plot.x,...plot.lines.map((line)=>line.values)],document.querySelector(".plots"));}`;

/** JSON that may stand in a script element. */
const toScriptJson = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

/** The page as one text that needs nothing from elsewhere; `runs` are the oldest first, and rough ones are left out. */
export function toReport(runs: readonly EarlierResults[], library: { script: string; style: string }): string {
  const whole = runs.filter(({ isRough }) => !isRough);
  const last = whole.at(-1);
  if (last === undefined)
    throw new Error("there are no results without --quick and --profile yet: run npm run bench first");
  const { cores, cpu, node } = last.before;
  const here = whole.filter(({ before }) => before.cpu === cpu && before.cores === cores);
  const rows = newestRows(here);
  const plots = [...growthPlots(rows), ...(here.length > 1 ? [historyPlot(here)] : [])];
  const heads = ["case", "p50 ms", "p99 ms", "per second", "CPU µs", "ratio", "result", "target", "", "of the target"];
  const facts = `${here.length} ${here.length === 1 ? "run" : "runs"}, the last on ${last.startedAt.slice(0, 10)}: ${cores} × ${cpu}, Node ${node}.`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Weft: results of the bench</title>
<style>${library.style}${STYLE}</style><h1>Results of the bench</h1>
<p>${escapeHtml(facts)} Ratios are to a baseline measured in the same run; the others depend on the machine, which the load generator shares.</p>
<div class="plots"></div>
<table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join("")}</tr></thead><tbody>${rows.map(toLine).join("\n")}</tbody></table>
<script>${library.script}</script><script>const PLOTS=${toScriptJson(plots)};${DRAW}</script></html>
`;
}

/** Writes the page of all results; returns its path from the project's directory. */
export async function writeReport(): Promise<string> {
  const names = await readdir(RESULTS_DIR).catch(() => []);
  const files = names.filter((name) => name.endsWith(".json")).sort();
  const runs = await Promise.all(files.map((name) => readResults(join(RESULTS_DIR, name))));
  const dist = fileURLToPath(new URL("..", import.meta.resolve("uplot")));
  const read = (name: string) => readFile(join(dist, "dist", name), "utf8");
  const library = { script: await read("uPlot.iife.min.js"), style: await read("uPlot.min.css") };
  await writeFile(PAGE, toReport(runs, library));
  return "bench/report.html";
}
