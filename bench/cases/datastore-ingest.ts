import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ingest } from "../../runtime/datastores/ingest/ingest-client.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import type { Case } from "../case.ts";
import { type Row, toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { withDataDir } from "../weft.ts";

const HEADER = "id,name,city,amount,count,active,note,created\n";
const WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];
const ROWS_AT_ONCE = 10_000;
const limits = DEFAULT_LIMITS;
/** Without keyword search: `.import` has none. */
const schema = { textFields: [] };

function toLine(row: number): string {
  const word = (shift: number) => WORDS[(row >> shift) % WORDS.length];
  const day = String(1 + (row % 28)).padStart(2, "0");
  const note = `"${word(1)} ${word(3)} ${word(5)} ${word(2)}"`;
  return `r${row},${word(0)} ${word(4)},${word(2)},${(row * 7) / 4},${row % 1_000_003},${row % 3 === 0},${note},2024-01-${day}T00:00:00Z\n`;
}

/** A CSV file of text, numbers, booleans and times; some cells are quoted. */
async function writeCsv(path: string, rows: number): Promise<void> {
  const out = createWriteStream(path);
  out.write(HEADER);
  for (let row = 0; row < rows; row += ROWS_AT_ONCE) {
    const lines = Array.from({ length: Math.min(ROWS_AT_ONCE, rows - row) }, (_, at) => toLine(row + at));
    if (!out.write(lines.join(""))) await once(out, "drain");
  }
  out.end();
  await once(out, "close");
}

async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1_000;
}

const hasShell = (): boolean => spawnSync("sqlite3", ["--version"]).status === 0;

async function importWithShell(source: string, target: string): Promise<void> {
  const child = spawn("sqlite3", [target, "-cmd", ".mode csv", `.import ${source} t`], { stdio: "ignore" });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`sqlite3 ended with ${code}`);
}

/** What the shell does where there is none: a statement per row, all cells text, one transaction, the simplest splitter. */
function importByHand(source: string, target: string): void {
  const db = new DatabaseSync(target);
  const [header = "", ...lines] = readFileSync(source, "utf8").trimEnd().split("\n");
  const columns = header.split(",");
  db.exec(`CREATE TABLE t (${columns.map((name) => `"${name}" TEXT`).join(", ")}); BEGIN`);
  const insert = db.prepare(`INSERT INTO t VALUES (${columns.map(() => "?").join(", ")})`);
  for (const line of lines) insert.run(...line.split(","));
  db.exec("COMMIT");
  db.close();
}

/** Imports of CSV against what SQLite itself needs for the same file. */
export const datastoreIngest: Case = {
  name: "datastore-ingest",
  about:
    "A CSV file into a datastore (its own process, types found, ids unique, synced) against the sqlite3 shell's `.import` of it into text columns.",
  run: ({ quick }) =>
    withDataDir(async (directory): Promise<readonly Row[]> => {
      const rows = quick ? 200_000 : 1_000_000;
      const source = join(directory, "source.csv");
      await writeCsv(source, rows);
      const shell = hasShell();
      const baseline = shell ? "sqlite3 .import" : "node:sqlite, one INSERT per row";
      const ours: number[] = [];
      const theirs: number[] = [];
      const ratios: number[] = [];
      for (let round = 0; round < (quick ? 2 : 5); round++) {
        const plain = join(directory, `plain-${round}.db`);
        const target = join(directory, `${round + 1}.db`);
        const before = await timed(() => (shell ? importWithShell(source, plain) : importByHand(source, plain)));
        const after = await timed(() => ingest({ source, format: "csv", schema, target, revision: 1, limits }));
        theirs.push(before);
        ours.push(after);
        ratios.push(before / after);
        for (const file of [plain, target]) rmSync(file);
      }
      return [
        toRow("sqlite-import", { perSecond: rows / median(theirs), unit: baseline }),
        toRow("datastore-ingest", {
          perSecond: rows / median(ours),
          ratio: median(ratios),
          baseline: "sqlite-import",
          goal: { figure: "ratio", atLeast: 0.5 },
        }),
      ];
    }),
};
