import { readFile } from "node:fs/promises";
import type { MachineFacts } from "./machine.ts";
import type { Figure, Row } from "./row.ts";
import { alignColumns, toFigure } from "./table.ts";

/** What is read again of an earlier run. */
export interface EarlierResults {
  readonly startedAt: string;
  readonly before: Pick<MachineFacts, "cpu" | "cores" | "node">;
  readonly rows: readonly Row[];
}

/** One figure of a case, in two runs. */
export interface Change {
  readonly name: string;
  /** `× fastify` for a ratio to a baseline of the same run, else the unit. */
  readonly figure: string;
  readonly before: number;
  readonly after: number;
  /** After divided by before. */
  readonly ratio: number;
  readonly verdict: "better" | "worse" | "";
}

/** What two runs of the same code differ by. */
const NOISE = 0.1;
const HEADINGS = ["case", "before", "after", "after / before", "figure", ""];

/** Reads the results of a run; throws an Error that names the file and what is wrong. */
export async function readResults(file: string): Promise<EarlierResults> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file}: cannot be read (${error.code})`);
  });
  let parsed: Partial<EarlierResults> | null = null;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(`${file}: is not JSON`);
  }
  if (!Array.isArray(parsed?.rows) || !parsed.rows.every((row) => typeof row?.name === "string"))
    throw new Error(`${file}: has no results of the bench`);
  return parsed as EarlierResults;
}

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

function verdictOf(figure: Figure, ratio: number): Change["verdict"] {
  const gain = figure === "ratio" || figure === "perSecond" ? ratio : 1 / ratio;
  if (gain > 1 + NOISE) return "better";
  return gain < 1 / (1 + NOISE) ? "worse" : "";
}

/** What changed from one run to another, for the cases that both have; throws an Error when there is none. */
export function compareRows(before: readonly Row[], after: readonly Row[]): readonly Change[] {
  const old = new Map(before.map((row) => [row.name, row]));
  const changes = after.flatMap((row) =>
    figuresOf(row).flatMap((figure) => {
      const [then, now] = [old.get(row.name)?.[figure] ?? null, row[figure]];
      if (then === null || now === null) return [];
      const ratio = now / then;
      const facts = { name: row.name, figure: unitOf(figure, row), before: then, after: now };
      return [{ ...facts, ratio, verdict: verdictOf(figure, ratio) }];
    }),
  );
  if (changes.length === 0) throw new Error("the two runs have no case in common");
  return changes;
}

function shown({ startedAt, before: { cores, cpu, node } }: EarlierResults): string {
  return `${startedAt}: ${cores} × ${cpu}, Node ${node}`;
}

/** A comparison as text: the runs, the changes, and a warning where the machines differ. */
export function toComparison(before: EarlierResults, after: EarlierResults): string {
  const changes = compareRows(before.rows, after.rows);
  const cells = changes.map(({ name, figure, verdict, ...figures }) => [
    ...[name, toFigure(figures.before), toFigure(figures.after), toFigure(figures.ratio), figure, verdict],
  ]);
  const isSame = before.before.cpu === after.before.cpu && before.before.cores === after.before.cores;
  const warning = isSame ? [] : ["These are different machines: only the ratios to a baseline (×) can be compared."];
  const table = alignColumns([HEADINGS, ...cells], new Set([1, 2, 3]));
  return [`before ${shown(before)}`, `after  ${shown(after)}`, ...warning, "", table].join("\n");
}
