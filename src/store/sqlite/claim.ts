import type { Execution, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { readExecution } from "./execution-row.ts";

type ClaimParams = Parameters<Store["claim"]>[0];

/** The first claimable execution of an account, and how many of the account run. */
interface Head {
  readonly account_id: string;
  readonly priority: number;
  readonly number: number;
  running: number;
}

/** Timers that come due together are handed over in portions, so that no claim takes long. */
const MAX_PROMOTED = 1_000;
const PROMOTE = `UPDATE executions SET ready = 1 WHERE number IN (SELECT number FROM executions INDEXED BY executions_timer
  WHERE ready = 0 AND due_at <= ? ORDER BY due_at LIMIT ${MAX_PROMOTED})`;
const NEXT_ACCOUNT = `SELECT account_id, priority, number FROM executions INDEXED BY executions_ready
  WHERE ready = 1 AND account_id > ? ORDER BY account_id, priority DESC, number LIMIT 1`;
const NEXT_OF_ACCOUNT = `SELECT account_id, priority, number FROM executions INDEXED BY executions_ready
  WHERE ready = 1 AND account_id = ? ORDER BY priority DESC, number LIMIT 1`;
const RUNNING = `SELECT count(*) AS running FROM (SELECT 1 FROM executions INDEXED BY executions_by_account
  WHERE account_id = ? AND status = 1 AND ready = 0 LIMIT ?)`;
const LEASE = `UPDATE executions SET status = 1, ready = 0, due_at = ?, worker = ?, fence = fence + 1,
  started_at = coalesce(started_at, ?), until_at = NULL WHERE number = ?`;

function headsOf(db: Database, perAccount: number, least: number): Map<string, Head> {
  const heads = new Map<string, Head>();
  let head = db.get<Head>(NEXT_ACCOUNT, "");
  while (head !== undefined) {
    const { account_id: account, priority, number } = head;
    if (priority >= least) {
      const running = db.get<{ running: number }>(RUNNING, account, perAccount)?.running ?? 0;
      if (running < perAccount) heads.set(account, { account_id: account, priority, number, running });
    }
    head = db.get<Head>(NEXT_ACCOUNT, account);
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
  const least = params.minPriority ?? Number.NEGATIVE_INFINITY;
  db.run(PROMOTE, now);
  const heads = headsOf(db, perAccount, least);
  const claimed: Execution[] = [];
  while (claimed.length < max) {
    const head = fairest(heads.values());
    if (head === null) break;
    db.run(LEASE, now + leaseMs, worker, now, head.number);
    const execution = readExecution(db, "e.number = ?", head.number);
    if (execution !== null) claimed.push(execution);
    const next = db.get<Head>(NEXT_OF_ACCOUNT, head.account_id);
    const running = head.running + 1;
    const isOut = next === undefined || next.priority < least || running >= perAccount;
    if (isOut) heads.delete(head.account_id);
    else
      heads.set(head.account_id, {
        account_id: next.account_id,
        priority: next.priority,
        number: next.number,
        running,
      });
  }
  return claimed;
}
