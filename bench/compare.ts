import type { EarlierResults } from "./earlier.ts";
import { type Figure, type Row, toRow } from "./row.ts";
import { alignColumns, toFigure } from "./table.ts";

/** One figure of a case, in two runs. */
export interface Change {
  readonly name: string;
  /** `× fastify` for a ratio to a baseline of the same run, else the unit. */
  readonly figure: string;
  readonly before: number;
  readonly after: number;
  /** After divided by before; null where that says nothing, as of amounts below zero. */
  readonly ratio: number | null;
  readonly verdict: "better" | "worse" | "";
}

/** What two runs of the same code differ by. */
const NOISE = 0.1;
const HEADINGS = ["case", "before", "after", "after / before", "figure", ""];

/** The figures of a row that say how good it is: the ratio to a baseline first, as it does not depend on the machine. */
function figuresOf({ ratio, goal, perSecond, p50Ms, amount }: Row): readonly Figure[] {
  const own = goal !== null && goal.figure !== "ratio" ? goal.figure : null;
  const found =
    own ?? (perSecond !== null ? "perSecond" : p50Ms !== null ? "p50Ms" : amount !== null ? "amount" : null);
  return [...(ratio === null ? [] : (["ratio"] as const)), ...(found === null ? [] : [found])];
}

function unitOf(figure: Figure, { baseline, unit }: Row): string {
  return { ratio: `× ${baseline}`, perSecond: "per second", p50Ms: "p50 ms", amount: unit }[figure];
}

function verdictOf(figure: Figure, { goal }: Row, ratio: number): Change["verdict"] {
  const isRate = figure === "ratio" || figure === "perSecond";
  const isMoreBetter = goal?.figure === figure ? "atLeast" in goal : isRate;
  const gain = isMoreBetter ? ratio : 1 / ratio;
  if (gain > 1 + NOISE) return "better";
  return gain < 1 / (1 + NOISE) ? "worse" : "";
}

function changesOf(then: Row, now: Row): readonly Change[] {
  return figuresOf(now).flatMap((figure) => {
    const [before, after] = [then[figure], now[figure]];
    // Another baseline or another unit: another figure under the same name.
    if (before === null || after === null || unitOf(figure, then) !== unitOf(figure, now)) return [];
    const ratio = before > 0 && after >= 0 ? after / before : null;
    const verdict = ratio === null ? "" : verdictOf(figure, now, ratio);
    return [{ name: now.name, figure: unitOf(figure, now), before, after, ratio, verdict }];
  });
}

/** What changed from one run to another, for the cases that both have; throws an Error when there is none. */
export function compareRows(before: readonly Row[], after: readonly Row[]): readonly Change[] {
  const old = new Map(before.map((row) => [row.name, row]));
  const changes = after.flatMap((row) => changesOf(old.get(row.name) ?? toRow(row.name, {}), row));
  if (changes.length === 0) throw new Error("the two runs have no case in common");
  return changes;
}

function shown({ startedAt, before: { cores, cpu, node } }: EarlierResults): string {
  return `${startedAt}: ${cores} × ${cpu}, Node ${node}`;
}

/** What makes figures of two runs differ besides the code. */
function warningsOf({ before: one, ...before }: EarlierResults, { before: other, ...after }: EarlierResults) {
  const isSame = one.cpu === other.cpu && one.cores === other.cores;
  const warnings = [
    isSame ? null : "These are different machines: only the ratios to a baseline (×) can be compared.",
    one.node === other.node ? null : "These are different versions of Node.",
    before.isRough === after.isRough ? null : "One of these runs was shortened (--quick) or slowed (--profile).",
  ];
  return warnings.filter((warning) => warning !== null);
}

/** What has no line in the comparison, as a line; none when everything has. */
function leftOut(changes: readonly Change[], runs: readonly EarlierResults[]): readonly string[] {
  const compared = new Set(changes.map(({ name }) => name));
  const names = new Set(runs.flatMap(({ rows }) => rows.map(({ name }) => name)));
  const missing = [...names.difference(compared)];
  return missing.length === 0 ? [] : ["", `Without the same figure in both runs: ${missing.join(", ")}`];
}

/** A comparison as text: the runs, the changes, and what differs besides the code. */
export function toComparison(before: EarlierResults, after: EarlierResults): string {
  const changes = compareRows(before.rows, after.rows);
  const cells = changes.map(({ name, figure, verdict, ...figures }) => [
    ...[name, toFigure(figures.before), toFigure(figures.after), toFigure(figures.ratio), figure, verdict],
  ]);
  const table = alignColumns([HEADINGS, ...cells], new Set([1, 2, 3]));
  const head = [`before ${shown(before)}`, `after  ${shown(after)}`, ...warningsOf(before, after)];
  return [...head, "", table, ...leftOut(changes, [before, after])].join("\n");
}
