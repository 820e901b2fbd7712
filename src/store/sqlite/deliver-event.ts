import type { LiveAnswer } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";
import { matches } from "./matching.ts";

/** An event as it is stored. */
export interface EventRow {
  readonly number: number;
  readonly account_id: string;
  readonly name: string;
  readonly id: string;
  /** Number of the only execution it is for; null = all of the account. */
  readonly execution: number | null;
  readonly at: number;
  /** JSON text `{ name, data, id, at }`. */
  readonly payload: string;
  readonly expires_at: number | null;
  readonly upto: number;
  readonly cursor: number | null;
  readonly reached: number;
}

interface WaitRow {
  readonly number: number;
  readonly execution: number;
  readonly pos: number;
  readonly match: string | null;
  readonly id: string;
  readonly status: number;
}

/** What one portion did. */
export interface Portion {
  readonly reached: number;
  readonly live: readonly LiveAnswer[];
  /** Waits up to this one have been looked at; null = all. */
  readonly cursor: number | null;
}

const COLUMNS = "w.number, w.execution, w.pos, w.match, e.id, e.status";
const NEXT = `SELECT ${COLUMNS} FROM waits w INDEXED BY waits_by_name CROSS JOIN executions e ON e.number = w.execution
  WHERE w.account_id = ? AND w.name = ? AND w.state = 0 AND w.kind = 0 AND w.number > ? AND w.number <= ?
  AND (w.until IS NULL OR w.until > ?) ORDER BY w.number LIMIT ?`;
const OF_EXECUTION = `SELECT ${COLUMNS} FROM waits w CROSS JOIN executions e ON e.number = w.execution
  WHERE w.execution = ? AND w.name = ? AND w.state = 0 AND w.kind = 0 AND (w.until IS NULL OR w.until > ?) ORDER BY w.pos`;
const TAKE = "INSERT INTO taken (event, execution) VALUES (?, ?) ON CONFLICT DO NOTHING";
const ASSIGN = "UPDATE waits SET state = 1, event = ? WHERE number = ?";
// Executions of a workflow that is being deleted stay where they are, and so do those that wait at a gate already.
const PROMOTE = `UPDATE executions SET ready = 1 WHERE number = ? AND status = 2
  AND EXISTS (SELECT 1 FROM workflows WHERE id = executions.workflow_id)
  AND (gated = 0 OR EXISTS (SELECT 1 FROM gates WHERE number = executions.number AND state = 1))`;

/** Gives an event to a wait; false when the execution had the event already. */
export function assign(db: Database, event: number, wait: { readonly number: number; readonly execution: number }) {
  if (db.run(TAKE, event, wait.execution) === 0) return false;
  db.run(ASSIGN, event, wait.number);
  return true;
}

/** Makes a parked execution claimable; false when it is not parked. */
export function promote(db: Database, execution: number): boolean {
  return db.run(PROMOTE, execution) === 1;
}

/** Gives an event to the waits among `rows` that match. */
function give(db: Database, event: EventRow, rows: readonly WaitRow[]): Pick<Portion, "reached" | "live"> {
  const { data } = JSON.parse(event.payload) as { readonly data: unknown };
  const live: LiveAnswer[] = [];
  let reached = 0;
  for (const row of rows) {
    if (!matches(row.match, data) || !assign(db, event.number, row)) continue;
    reached += 1;
    if (row.status === STATUS.waiting) promote(db, row.execution);
    else live.push({ executionId: row.id, wait: { kind: "event", pos: row.pos }, answer: event.payload });
  }
  return { reached, live };
}

/** Gives an event to the next waits that match, looking at `max` of those that were open when it came. */
export function deliverEvent(db: Database, event: EventRow, max: number): Portion {
  const { account_id: account, name, execution, at } = event;
  if (execution !== null) {
    const portion = give(db, event, db.all<WaitRow>(OF_EXECUTION, execution, name, at));
    return { ...portion, cursor: null };
  }
  const rows = db.all<WaitRow>(NEXT, account, name, event.cursor ?? 0, event.upto, at, max);
  return { ...give(db, event, rows), cursor: rows.length < max ? null : (rows.at(-1)?.number ?? null) };
}
