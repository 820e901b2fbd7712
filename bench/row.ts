/** What a figure must reach. */
export type Goal =
  | { readonly figure: Figure; readonly atLeast: number }
  | { readonly figure: Figure; readonly atMost: number };

/** The figures a goal may be about. */
export type Figure = "p50Ms" | "perSecond" | "ratio" | "amount";

/** One line of the table; null = not measured here. */
export interface Row {
  readonly name: string;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly perSecond: number | null;
  /** CPU time of the server and its hosts per request, µs. */
  readonly cpuMicros: number | null;
  /** Requests per second divided by those of `baseline` in the same round, median over the rounds. */
  readonly ratio: number | null;
  readonly baseline: string | null;
  /** Any other figure, in `unit`. */
  readonly amount: number | null;
  readonly unit: string;
  readonly goal: Goal | null;
  /** Place in a series that shows growth: what grows, and how much of it there was; null for a row by itself. */
  readonly at: { readonly series: string; readonly x: number } | null;
  /** Why there is no figure. */
  readonly failure: string | null;
}

/** A row with the given figures and nothing else. */
export function toRow(name: string, figures: Partial<Omit<Row, "name">>): Row {
  const times = { p50Ms: null, p99Ms: null, perSecond: null, cpuMicros: null };
  const others = { ratio: null, baseline: null, amount: null, unit: "", goal: null, at: null, failure: null };
  return { ...times, ...others, ...figures, name };
}

/** Whether the goal is met; null without a goal, false when the figure is missing. */
export function isMet(row: Row): boolean | null {
  if (row.goal === null) return null;
  const value = row[row.goal.figure] ?? Number.NaN;
  return "atLeast" in row.goal ? value >= row.goal.atLeast : value <= row.goal.atMost;
}
