import { closeSync, copyFileSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Random } from "./random.ts";

const DB = "weft.db";
const LOG = "weft.db-wal";
/** What a disk writes at once, bytes. */
const SECTOR = 4_096;

/** Bytes of the log of a store. */
export const logBytes = (dataDir: string): number => statSync(join(dataDir, LOG)).size;

/** Copies the files of a store as they are at one moment: its server stands still meanwhile. */
export function copyStore(pid: number, from: string, to: string): void {
  process.kill(pid, "SIGSTOP");
  for (const name of [DB, LOG]) copyFileSync(join(from, name), join(to, name));
  process.kill(pid, "SIGCONT");
}

/** Loses the end of the log at any byte after the first `safe` ones, and garbles the last sector of what is left of it. */
export function loseWrites(dataDir: string, safe: number, random: Random): void {
  const file = openSync(join(dataDir, LOG), "r+");
  const kept = random.between(safe, logBytes(dataDir));
  ftruncateSync(file, kept);
  const torn = Math.min(kept - safe, random.between(0, SECTOR));
  const garbage = Uint8Array.from({ length: torn }, () => random.between(0, 255));
  if (torn > 0 && random.chance(0.5)) writeSync(file, garbage, 0, torn, kept - torn);
  closeSync(file);
}

const DANGLING = [
  "SELECT count(*) AS n FROM journal WHERE execution NOT IN (SELECT number FROM executions)",
  "SELECT count(*) AS n FROM output WHERE execution NOT IN (SELECT number FROM executions)",
  "SELECT count(*) AS n FROM executions WHERE number NOT IN (SELECT number FROM requests)",
  "SELECT count(*) AS n FROM requests WHERE number NOT IN (SELECT number FROM executions)",
];

/** What is wrong with a store that no server has open; empty when nothing is. */
export function damageOf(dataDir: string): readonly string[] {
  const db = new DatabaseSync(join(dataDir, DB));
  try {
    const report = db
      .prepare("PRAGMA integrity_check")
      .all()
      .map((row) => String(row["integrity_check"]));
    const dangling = DANGLING.filter((sql) => db.prepare(sql).get()?.["n"] !== 0);
    return [...report.filter((line) => line !== "ok"), ...dangling];
  } finally {
    db.close();
  }
}
