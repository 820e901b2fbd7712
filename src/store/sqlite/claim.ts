import type { Execution, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { readExecution } from "./execution-row.ts";
import { hasGates, passGates } from "./gates.ts";

type ClaimParams = Parameters<Store["claim"]>[0];

/** The first claimable execution of an account, and how many of the account run. */
interface Head {
  readonly account_id: string;
  readonly priority: number;
  readonly number: number;
  readonly running: number;
}

/** Timers that come due together are handed over in portions, so that no claim takes long. */
const MAX_PROMOTED = 1_000;
const PROMOTE = `UPDATE executions SET ready = 1 WHERE number IN (SELECT number FROM executions INDEXED BY executions_timer
  WHERE ready = 0 AND due_at <= ? ORDER BY due_at LIMIT ${MAX_PROMOTED})`;
const NEXT_ACCOUNT = `SELECT account_id FROM executions INDEXED BY executions_ready
  WHERE ready = 1 AND account_id > ? ORDER BY account_id, priority DESC, number LIMIT 1`;
const NEXT_OF_ACCOUNT = `SELECT account_id, priority, number FROM executions INDEXED BY executions_ready
  WHERE ready = 1 AND account_id = ? ORDER BY priority DESC, number LIMIT 1`;
const IS_GATED = "SELECT 1 AS found FROM executions WHERE number = ? AND gated = 1 AND cancel = 0";
const RUNNING = `SELECT count(*) AS running FROM (SELECT 1 FROM executions INDEXED BY executions_by_account
  WHERE account_id = ? AND status = 1 AND ready = 0 LIMIT ?)`;
const LEASE = `UPDATE executions SET status = 1, ready = 0, due_at = ?, worker = ?, fence = fence + 1,
  started_at = coalesce(started_at, ?), until_at = NULL WHERE number = ?`;

/** Whoever was asked to stop passes all gates. */
function isOpen(db: Database, number: number, now: number): boolean {
  return !hasGates(db) || db.get(IS_GATED, number) === undefined || passGates(db, number, now);
}

/** The first execution of an account that may be leased; null when there is none. */
function headOf(db: Database, account: string, running: number, { now, minPriority }: ClaimParams): Head | null {
  const least = minPriority ?? Number.NEGATIVE_INFINITY;
  for (;;) {
    const head = db.get<Omit<Head, "running">>(NEXT_OF_ACCOUNT, account);
    if (head === undefined || head.priority < least) return null;
    const { account_id, priority, number } = head;
    if (isOpen(db, number, now)) return { account_id, priority, number, running };
  }
}

function headsOf(db: Database, params: ClaimParams): Map<string, Head> {
  const { perAccount } = params;
  const heads = new Map<string, Head>();
  let next = db.get<{ account_id: string }>(NEXT_ACCOUNT, "");
  while (next !== undefined) {
    const account = next.account_id;
    const running = db.get<{ running: number }>(RUNNING, account, perAccount)?.running ?? 0;
    const head = running < perAccount ? headOf(db, account, running, params) : null;
    if (head !== null) heads.set(account, head);
    next = db.get<{ account_id: string }>(NEXT_ACCOUNT, account);
  }
  return heads;
}

function before(a: Head, b: Head): boolean {
  if (a.running !== b.running) return a.running < b.running;
  if (a.priority !== b.priority) return a.priority > b.priority;
  return a.number < b.number;
}

function fairest(heads: Iterable<Head>): Head | null {
  let best: Head | null = null;
  for (const head of heads) {
    if (best === null || before(head, best)) best = head;
  }
  return best;
}

/** Leases up to `max` due executions: the account with the fewest running ones first, within it by priority, then age. */
export function claim(db: Database, params: ClaimParams): Execution[] {
  const { worker, max, leaseMs, now, perAccount } = params;
  db.run(PROMOTE, now);
  const heads = headsOf(db, params);
  const claimed: Execution[] = [];
  while (claimed.length < max) {
    const head = fairest(heads.values());
    if (head === null) break;
    db.run(LEASE, now + leaseMs, worker, now, head.number);
    const execution = readExecution(db, "e.number = ?", head.number);
    if (execution !== null) claimed.push(execution);
    const running = head.running + 1;
    const next = running < perAccount ? headOf(db, head.account_id, running, params) : null;
    if (next === null) heads.delete(head.account_id);
    else heads.set(head.account_id, next);
  }
  return claimed;
}
