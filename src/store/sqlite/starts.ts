import type { Database } from "./database.ts";

/** A rate: at most `limit` starts within any `periodMs`. */
export interface Rate {
  readonly id: string;
  readonly limit: number;
  readonly periodMs: number;
}

/** Expired rows of other rates removed with each start, so that rates that are no longer used vanish. */
const SWEPT = 2;

const LAST = "SELECT n, at FROM starts WHERE rate = ? ORDER BY n DESC LIMIT 1";
const NTH = "SELECT at FROM starts WHERE rate = ? AND n = ?";
const INSERT = "INSERT INTO starts (rate, n, at, expires_at) VALUES (?, ?, ?, ?)";
const REMOVE_OLD = "DELETE FROM starts WHERE rate = ? AND n <= ?";
const SWEEP = `DELETE FROM starts WHERE (rate, n) IN (SELECT rate, n FROM starts INDEXED BY starts_by_expiry
  WHERE expires_at <= ? ORDER BY expires_at LIMIT ${SWEPT})`;

function lastOf(db: Database, rate: Rate): { readonly n: number; readonly at: number } | undefined {
  return db.get<{ n: number; at: number }>(LAST, rate.id);
}

/** The earliest time from `now` on at which one more may start. */
export function nextStart(db: Database, rate: Rate, now: number): number {
  const last = lastOf(db, rate);
  if (last === undefined) return now;
  const oldest = db.get<{ at: number }>(NTH, rate.id, last.n - rate.limit + 1);
  return oldest === undefined ? now : Math.max(now, oldest.at + rate.periodMs);
}

/** Notes that one starts now. */
export function recordStart(db: Database, rate: Rate, now: number): void {
  const n = (lastOf(db, rate)?.n ?? 0) + 1;
  db.run(INSERT, rate.id, n, now, now + rate.periodMs);
  db.run(REMOVE_OLD, rate.id, n - rate.limit);
  db.run(SWEEP, now);
}
