import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { readMachine } from "./machine.ts";
import { root } from "./program.ts";
import { isMet, type Row } from "./row.ts";

/** Directory of results and profiles; not in version control. */
export const RESULTS_DIR = join(root, "bench", "results");

/** One run of the bench. */
export interface Results {
  readonly startedAt: Date;
  readonly seconds: number;
  /** Measured with --quick. */
  readonly quick: boolean;
  /** Measured with --profile. */
  readonly profile: boolean;
  readonly before: ReturnType<typeof readMachine>;
  readonly after: ReturnType<typeof readMachine>;
  readonly rows: readonly Row[];
}

/** Writes a run as JSON; returns the file's path from the project's directory. */
export async function writeResults(results: Results): Promise<string> {
  const name = `${results.startedAt.toISOString().replaceAll(":", "-")}.json`;
  const rows = results.rows.map((row) => ({ ...row, met: isMet(row) }));
  await mkdir(RESULTS_DIR, { recursive: true });
  await writeFile(join(RESULTS_DIR, name), `${JSON.stringify({ ...results, rows }, null, 2)}\n`);
  return `bench/results/${name}`;
}
