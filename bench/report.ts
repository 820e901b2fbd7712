import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeHtml } from "../src/http/dialects/approval-page/html.ts";
import { type EarlierResults, readResults } from "./earlier.ts";
import { type Attainment, type PastRatio, plotGrowth, plotRatios, plotTargets, type Step } from "./plots.ts";
import { root } from "./program.ts";
import { RESULTS_DIR } from "./results.ts";
import { isMet, type Row } from "./row.ts";
import { toFigure, toTarget } from "./table.ts";

const PAGE = join(root, "bench", "report.html");
/** An absolute path up to its last part, but not one in an address. */
const DIRECTORY = /(?:file:\/\/|(?<![\w:/.]))\/(?:[\w.@+-]+\/)+/g;

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

/** The steps of each series, in order. */
function seriesOf(rows: readonly Dated[]): ReadonlyMap<string, readonly Step[]> {
  const series = new Map<string, Step[]>();
  for (const { row } of rows) {
    if (row.at === null || row.cpuMicros === null) continue;
    const step = { x: row.at.x, cpuMicros: row.cpuMicros };
    series.set(
      row.at.series,
      [...(series.get(row.at.series) ?? []), step].sort((one, other) => one.x - other.x),
    );
  }
  return series;
}

function ratiosOf(runs: readonly EarlierResults[]): readonly PastRatio[] {
  return runs.flatMap(({ startedAt, rows }) =>
    rows.flatMap(({ name, ratio, goal }) => {
      const target = goal?.figure !== "ratio" ? null : "atLeast" in goal ? goal.atLeast : goal.atMost;
      return ratio === null ? [] : [{ name, time: Date.parse(startedAt), ratio, target }];
    }),
  );
}

function attainmentsOf(rows: readonly Dated[]): readonly Attainment[] {
  return rows.flatMap(({ row }) => {
    if (row.goal === null) return [];
    const value = row[row.goal.figure];
    const found = value ?? 0;
    const share = "atLeast" in row.goal ? found / row.goal.atLeast : row.goal.atMost / Math.max(found, Number.EPSILON);
    return [{ name: row.name, share: value === null ? 0 : share, met: isMet(row) === true }];
  });
}

/** Why there is no figure, without the directories of this machine: the page is in version control. */
const toReason = (failure: string): string => failure.replaceAll(DIRECTORY, "…/");

function toLine({ row, startedAt }: Dated): string {
  const figures = [row.p50Ms, row.p99Ms, row.perSecond, row.cpuMicros, row.ratio].map(toFigure);
  const met = { true: "met", false: "not met", null: "" }[String(isMet(row)) as "true" | "false" | "null"];
  const amount = row.amount === null ? "" : `${toFigure(row.amount)} ${row.unit}`;
  const result = row.failure === null ? amount : toReason(row.failure);
  const texts = [row.baseline ?? "", result, toTarget(row), met, startedAt.slice(0, 10)];
  const cells = [
    ...figures.map((figure) => `<td class="n">${figure}</td>`),
    ...texts.map((text) => `<td>${escapeHtml(text)}</td>`),
  ];
  return `<tr><th>${escapeHtml(row.name)}</th>${cells.join("")}</tr>`;
}

const STYLE = `:root{color-scheme:light dark;font:14px/1.5 system-ui,sans-serif}body{max-width:75rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #8884;font-weight:400}
thead th{font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}h2{font-size:1.1rem;margin-top:2rem}
.plots{display:flex;flex-wrap:wrap;gap:2rem}figure{margin:0}svg{max-width:100%;height:auto}.wide{overflow-x:auto}`;

/** Nothing is loaded and nothing runs. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";
const HEADS = ["p50 ms", "p99 ms", "per second", "CPU µs", "ratio", "baseline", "result", "target", "", "measured"];

function toFigureElement(title: string, svg: string): string {
  return `<figure role="img" aria-label="${escapeHtml(title)}"><figcaption>${escapeHtml(title)}</figcaption>${svg}</figure>`;
}

function toSection(title: string, plots: readonly string[]): string {
  return plots.length === 0 ? "" : `<h2>${title}</h2>\n<div class="plots">${plots.join("\n")}</div>\n`;
}

async function toPlots(rows: readonly Dated[], runs: readonly EarlierResults[]): Promise<string> {
  const goals = attainmentsOf(rows);
  const ratios = runs.length > 1 ? ratiosOf(runs) : [];
  const growth = await Promise.all(
    [...seriesOf(rows)].map(async ([title, steps]) => toFigureElement(title, await plotGrowth(steps))),
  );
  const targets = goals.length === 0 ? [] : [toFigureElement("Newest figures", await plotTargets(goals))];
  const history = ratios.length === 0 ? [] : [toFigureElement("Dashed: the target", await plotRatios(ratios))];
  return [
    toSection("Targets", targets),
    toSection("What a call costs while there is ever more", growth),
    toSection("Ratios to the baselines of the same run", history),
  ].join("");
}

/** The page as one text that needs no script and nothing from elsewhere; `runs` are the oldest first, and rough ones are left out. */
export async function toReport(runs: readonly EarlierResults[]): Promise<string> {
  const whole = runs.filter(({ isRough }) => !isRough);
  const last = whole.at(-1);
  if (last === undefined)
    throw new Error("there are no results without --quick and --profile yet: run npm run bench first");
  const { cores, cpu, node } = last.before;
  const here = whole.filter(({ before }) => before.cpu === cpu && before.cores === cores);
  const rows = newestRows(here);
  const count = `${here.length} ${here.length === 1 ? "run" : "runs"}`;
  const facts = `${count}, the last on ${last.startedAt.slice(0, 10)}: ${cores} × ${cpu}, Node ${node}.`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>Weft: results of the bench</title>
<style>${STYLE}</style><h1>Results of the bench</h1>
<p>${escapeHtml(facts)} Ratios are to a baseline measured in the same run; the others depend on the machine, which the load generator shares.</p>
${await toPlots(rows, here)}<h2>Figures</h2>
<div class="wide"><table><thead><tr><th>case</th>${HEADS.map((head) => `<th>${head}</th>`).join("")}</tr></thead><tbody>${rows.map(toLine).join("\n")}</tbody></table></div></html>
`;
}

/** Writes the page of all results; returns its path from the project's directory. */
export async function writeReport(): Promise<string> {
  const names = await readdir(RESULTS_DIR).catch(() => []);
  const files = names.filter((name) => name.endsWith(".json")).sort();
  const runs = await Promise.all(files.map((name) => readResults(join(RESULTS_DIR, name))));
  await writeFile(PAGE, await toReport(runs));
  return "bench/report.html";
}
