import type { LiveAnswer } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";
import { matches } from "./matching.ts";
import { keysOfEvent } from "./wait-keys.ts";

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
  readonly until: number | null;
}

/** What one portion did. */
export interface Portion {
  readonly reached: number;
  readonly live: readonly LiveAnswer[];
  /** Waits up to this one have been looked at; null = all. */
  readonly cursor: number | null;
}

const COLUMNS = "number, execution, pos, match, until";
const RANGE = `SELECT ${COLUMNS} FROM waits INDEXED BY waits_by_value
  WHERE account_id = ? AND name = ? AND path = ? AND value = ? AND state = 0 AND kind = 0 AND number > ? AND number <= ?`;
const OF_EXECUTION = `SELECT ${COLUMNS} FROM waits WHERE execution = ? AND name = ? AND state = 0 AND kind = 0 ORDER BY pos`;
const EXECUTION = "SELECT id, status FROM executions WHERE number = ?";
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
function give(
  db: Database,
  event: EventRow,
  data: unknown,
  rows: readonly WaitRow[],
): Pick<Portion, "reached" | "live"> {
  const live: LiveAnswer[] = [];
  let reached = 0;
  for (const row of rows) {
    const isOver = row.until !== null && row.until <= event.at;
    if (isOver || !matches(row.match, data) || !assign(db, event.number, row)) continue;
    const execution = db.get<{ id: string; status: number }>(EXECUTION, row.execution);
    if (execution === undefined) continue;
    reached += 1;
    if (execution.status === STATUS.waiting) promote(db, row.execution);
    else live.push({ executionId: execution.id, wait: { kind: "event", pos: row.pos }, answer: event.payload });
  }
  return { reached, live };
}

/** Gives an event to the next waits that match, looking at `max` of those that were open when it came. */
export function deliverEvent(db: Database, event: EventRow, max: number): Portion {
  const { account_id: account, name, execution, cursor, upto } = event;
  const { data } = JSON.parse(event.payload) as { readonly data: unknown };
  if (execution !== null) {
    return { ...give(db, event, data, db.all<WaitRow>(OF_EXECUTION, execution, name)), cursor: null };
  }
  // One ordered range of the index per key, merged.
  const keys = keysOfEvent(db, account, name, data);
  const sql = `${keys.map(() => RANGE).join(" UNION ALL ")} ORDER BY number LIMIT ?`;
  const values = keys.flatMap(({ path, value }) => [account, name, path, value, cursor ?? 0, upto]);
  const rows = db.all<WaitRow>(sql, ...values, max);
  return { ...give(db, event, data, rows), cursor: rows.length < max ? null : (rows.at(-1)?.number ?? null) };
}
