import { type Goal, isMet, type Row } from "./row.ts";

const HEADINGS = ["case", "p50 ms", "p99 ms", "per second", "cpu µs", "ratio", "baseline", "result", "target", ""];
const FIGURES = new Set([1, 2, 3, 4, 5]);

/** A number with three significant digits, and whole from 100 on. */
export function toFigure(value: number | null): string {
  if (value === null || Number.isNaN(value)) return "";
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}

function toBound(goal: Goal): string {
  return "atLeast" in goal ? `≥ ${toFigure(goal.atLeast)}` : `≤ ${toFigure(goal.atMost)}`;
}

/** The goal of a row, for people; empty without one. */
export function toTarget({ goal, unit, baseline }: Row): string {
  if (goal === null) return "";
  const bound = toBound(goal);
  switch (goal.figure) {
    case "ratio":
      return `${bound} × ${baseline}`;
    case "p50Ms":
      return `p50 ${bound} ms`;
    case "perSecond":
      return `${bound}/s`;
    case "amount":
      return `${bound} ${unit}`;
  }
}

function toCells(row: Row): readonly string[] {
  const met = isMet(row);
  const figures = [row.p50Ms, row.p99Ms, row.perSecond, row.cpuMicros, row.ratio].map(toFigure);
  const amount = row.amount === null ? "" : `${toFigure(row.amount)} ${row.unit}`;
  const verdict = met === null ? "" : met ? "met" : "NOT MET";
  return [row.name, ...figures, row.baseline ?? "", row.failure ?? amount, toTarget(row), verdict];
}

/** Lines of cells as aligned plain text, the first ones being headings; `right`: columns of figures. */
export function alignColumns(lines: readonly (readonly string[])[], right: ReadonlySet<number>): string {
  const widths = (lines[0] ?? []).map((_heading, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length)),
  );
  const pad = (cell: string, column: number) => {
    const width = widths[column] ?? 0;
    return right.has(column) ? cell.padStart(width) : cell.padEnd(width);
  };
  const [first = [], ...rest] = lines.map((line) => line.map(pad));
  const rule = widths.map((width) => "─".repeat(width));
  return [first, rule, ...rest].map((line) => line.join("  ").trimEnd()).join("\n");
}

/** The rows as aligned plain text. */
export function toTable(rows: readonly Row[]): string {
  return alignColumns([HEADINGS, ...rows.map(toCells)], FIGURES);
}
