import { fail } from "../../../runtime/index.ts";
import type { CacheHit, NewExecution, Store } from "../store.ts";
import { type Database, sqliteCode, type Value } from "./database.ts";
import { endingColumns, STATUS, usageColumns } from "./execution-columns.ts";

/** What a new row says besides the execution itself: from status to cpu_ms, in the order of the INSERT. */
type StateColumns = readonly Value[];

type StartParams = Parameters<Store["startExecution"]>[0];
type RecordParams = Parameters<Store["recordExecution"]>[0];

/** Of a column; of the slot that a schedule starts it in. */
const TAKEN: ReadonlySet<number | null> = new Set([2067, 1555]);
// A workflow that was deleted a moment ago must not get rows that nobody would ever remove.
const INSERT = `INSERT INTO executions (id, account_id, workflow_id, priority, idempotency_key, parent_id, parent_pos,
  created_at, ready, due_at, fence, worker, started_at, finished_at, status, output, error, cached,
  prompt_tokens, completion_tokens, cost_usd, ops, cpu_ms)
  SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM workflows WHERE id = ?)`;
// As INSERT, for a workflow that is known to exist; what all hits have in common stands in the text.
const INSERT_HIT = `INSERT INTO executions (id, account_id, workflow_id, priority, idempotency_key, parent_id, parent_pos,
  created_at, started_at, finished_at, output, ready, fence, status, cached) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 1, ${STATUS.completed}, 1)`;
const INSERT_REQUEST = `INSERT INTO requests (number, version_id, ref, mode, has_secrets, session_id, session_owner, request_id,
  depth, seed, created_at, run_at, timeout_ms, cache_key, data, budget, result_of)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const COUNT = `INSERT INTO counts (workflow_id, status, account_id, count)
  SELECT workflow_id, status, account_id, 1 FROM executions WHERE number = ? ON CONFLICT DO UPDATE SET count = count + 1`;
const COUNT_HITS = `INSERT INTO counts (workflow_id, status, account_id, count) VALUES (?, ${STATUS.completed}, ?, ?)
  ON CONFLICT DO UPDATE SET count = count + excluded.count`;
// The files of datastores that an execution that is not over reads are kept for it.
const PIN = `INSERT OR IGNORE INTO datastore_pins (datastore_id, base, execution)
  SELECT json_extract(d.value, '$.id'), json_extract(d.value, '$.base'), e.number FROM executions e, json_each(?, '$.datastores') d
  WHERE e.number = ? AND e.status < ${STATUS.completed}`;
const READS_DATASTORES = '{"datastores":';
const NOTHING_YET: StateColumns = [null, null, 0, 0, 0, 0, 0, 0];

/** State of an execution that waits to be claimed. */
export function queuedState(execution: NewExecution): StateColumns {
  const ready = execution.runAt <= execution.createdAt ? 1 : 0;
  return [ready, execution.runAt, 0, null, null, null, STATUS.queued, ...NOTHING_YET];
}

/** State of an execution that a worker runs. */
export function runningState({ startedAt, worker, leaseMs }: Omit<StartParams, "execution">): StateColumns {
  return [0, startedAt + leaseMs, 1, worker, startedAt, null, STATUS.running, ...NOTHING_YET];
}

/** State of an execution that is over already. */
export function endedState(end: Pick<RecordParams, "ending" | "startedAt" | "finishedAt" | "usage">): StateColumns {
  return [0, null, 1, null, end.startedAt, end.finishedAt, ...endingColumns(end.ending), ...usageColumns(end.usage)];
}

function identityColumns(execution: NewExecution): Value[] {
  const { id, accountId, workflowId, priority, idempotencyKey, parentId, parentPos, createdAt } = execution;
  return [id, accountId, workflowId, priority, idempotencyKey, parentId, parentPos, createdAt];
}

/** Adds the two rows of an execution and returns its integer key; CONFLICT when id, idempotency key or parent position is taken. */
export function insertExecution(
  db: Database,
  execution: NewExecution,
  state: StateColumns,
  resultOf: string | null = null,
): number {
  const values = [...identityColumns(execution), ...state, execution.workflowId];
  const number = insertUnique(db, INSERT, execution, values);
  if (number === null) throw fail("WORKFLOW_NOT_FOUND", { ref: execution.ref });
  insertRequest(db, number, execution, resultOf);
  db.run(COUNT, number);
  if (execution.data.startsWith(READS_DATASTORES)) db.run(PIN, execution.data, number);
  return number;
}

/** Adds the two rows of an execution that the result cache answered, of a workflow that exists, for countHits to count; CONFLICT as insertExecution. */
export function insertHit(db: Database, { execution, resultOf, output, finishedAt }: CacheHit): number {
  const values = [...identityColumns(execution), execution.createdAt, finishedAt, output];
  const number = insertUnique(db, INSERT_HIT, execution, values) as number;
  insertRequest(db, number, execution, resultOf);
  return number;
}

/** Counts hits of a workflow that were added. */
export function countHits(db: Database, { accountId, workflowId }: NewExecution, hits: number): void {
  db.run(COUNT_HITS, workflowId, accountId, hits);
}

function insertRequest(db: Database, number: number, execution: NewExecution, resultOf: string | null): void {
  const {
    id,
    accountId,
    versionId,
    ref,
    mode,
    hasSecrets,
    sessionId,
    requestId,
    depth,
    seed,
    createdAt,
    runAt,
    timeoutMs,
  } = execution;
  const request: Value[] = [
    versionId,
    ref,
    mode,
    hasSecrets ? 1 : 0,
    sessionId,
    sessionId === id ? null : accountId,
    requestId,
    depth,
    seed,
    createdAt,
    runAt,
  ];
  const { cacheKey, data, budget } = execution;
  db.run(
    INSERT_REQUEST,
    number,
    ...request,
    timeoutMs,
    cacheKey,
    data,
    budget === null ? null : JSON.stringify(budget),
    resultOf,
  );
}

function insertUnique(db: Database, sql: string, execution: NewExecution, values: readonly Value[]): number | null {
  try {
    return db.insert(sql, ...values);
  } catch (error) {
    if (!TAKEN.has(sqliteCode(error))) throw error;
    const { id, idempotencyKey, parentId, parentPos } = execution;
    const message = `Execution ${id}: its id, idempotency key or parent position is taken.`;
    throw fail("CONFLICT", { message, id, idempotencyKey, parentId, parentPos }, error);
  }
}
