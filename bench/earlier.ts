import { readFile } from "node:fs/promises";
import type { MachineFacts } from "./machine.ts";
import { type Row, toRow } from "./row.ts";

/** What is read again of an earlier run. */
export interface EarlierResults {
  readonly startedAt: string;
  readonly before: Pick<MachineFacts, "cpu" | "cores" | "node">;
  /** Measured with --quick or --profile: the figures are rougher, and not those of a whole run. */
  readonly isRough: boolean;
  readonly rows: readonly Row[];
}

type Unknown = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Unknown => typeof value === "object" && value !== null;
const isNumber = (value: unknown) => typeof value === "number";
const isText = (value: unknown) => typeof value === "string";

function isMachine(value: unknown): boolean {
  return isObject(value) && isText(value["cpu"]) && isNumber(value["cores"]) && isText(value["node"]);
}

function isGoal(value: unknown): boolean {
  const names: readonly unknown[] = ["p50Ms", "perSecond", "ratio", "amount"];
  return isObject(value) && names.includes(value["figure"]) && isNumber(value["atLeast"] ?? value["atMost"]);
}

const isPlace = (value: unknown) => isObject(value) && isText(value["series"]) && isNumber(value["x"]);

const FIGURES = ["p50Ms", "p99Ms", "perSecond", "cpuMicros", "ratio", "amount"];
const CHECKS: readonly (readonly [field: string, check: (value: unknown) => boolean])[] = [
  ...FIGURES.map((name) => [name, isNumber] as const),
  ...[["baseline", isText] as const, ["unit", isText] as const, ["failure", isText] as const],
  ...[["goal", isGoal] as const, ["at", isPlace] as const],
];

/** Whether a value is a row; a field that an older run did not have yet may be missing. */
function isRow(value: unknown): value is Partial<Row> & Pick<Row, "name"> {
  if (!(isObject(value) && isText(value["name"]))) return false;
  return CHECKS.every(([field, check]) => (value[field] ?? null) === null || check(value[field]));
}

/** Results as JSON says them; null when they are not of the bench. */
function toResults(parsed: unknown): EarlierResults | null {
  if (!isObject(parsed)) return null;
  const { startedAt, before, rows, quick, profile } = parsed;
  if (!(isText(startedAt) && Number.isFinite(Date.parse(String(startedAt))) && isMachine(before))) return null;
  if (!(Array.isArray(rows) && rows.every(isRow))) return null;
  const machine = before as EarlierResults["before"];
  const isRough = quick === true || profile === true;
  return { startedAt: String(startedAt), before: machine, isRough, rows: rows.map((row) => toRow(row.name, row)) };
}

/** Reads the results of a run; throws an Error that names the file and what is wrong. */
export async function readResults(file: string): Promise<EarlierResults> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file}: cannot be read (${error.code})`);
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(`${file}: is not JSON`);
  }
  const results = toResults(parsed);
  if (results === null) throw new Error(`${file}: has no results of the bench`);
  return results;
}
