import type { ErrorRecord, Sleep } from "../../../runtime/index.ts";
import type { Execution, ExecutionBudget, ExecutionMode, ExecutionState, ListedExecution, Shortage } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";

const NAMES = ["queued", "running", "waiting", "completed", "failed", "cancelled"] as const;

interface ExecutionRow {
  readonly number: number;
  readonly id: string;
  readonly account_id: string;
  readonly workflow_id: string;
  readonly status: number;
  readonly priority: number;
  readonly fence: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly until_at: number | null;
  readonly sleeps: string | null;
  readonly cached: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cost_usd: number;
  readonly ops: number;
  readonly cpu_ms: number;
  readonly idempotency_key: string | null;
  readonly parent_id: string | null;
  readonly parent_pos: number | null;
  readonly error: string | null;
  readonly output: string | null;
  readonly version_id: string;
  readonly ref: string;
  readonly mode: ExecutionMode;
  readonly has_secrets: number;
  readonly session_id: string;
  readonly request_id: string;
  readonly depth: number;
  readonly seed: string;
  readonly created_at: number;
  readonly run_at: number;
  readonly timeout_ms: number | null;
  readonly cache_key: string | null;
  readonly data: string;
  readonly last_chunk: number | null;
  readonly attempts: number;
  readonly retries: number;
  readonly resumed_at: number | null;
  readonly gated: number;
  readonly budget: string | null;
  readonly shortage: string | null;
}

const LAST_CHUNK = `(SELECT o.last FROM output o
  WHERE o.execution = e.number AND o.kind = 0 ORDER BY o.last DESC LIMIT 1) AS last_chunk`;
// Only what waits can be short of money.
const SHORTAGE = `CASE WHEN e.status = ${STATUS.waiting} THEN
  (SELECT s.detail FROM shortages s WHERE s.execution = e.number) END AS shortage`;
const SELECT_EXECUTION = `SELECT e.*, r.*, ${LAST_CHUNK}, ${SHORTAGE} FROM executions e JOIN requests r ON r.number = e.number`;
// Outputs and data may be large: lists do without.
const SELECT_LISTED = `SELECT e.number, e.id, e.account_id, e.workflow_id, e.status, e.priority, e.fence, e.started_at,
  e.finished_at, e.until_at, e.cached, e.prompt_tokens, e.completion_tokens, e.cost_usd, e.ops, e.cpu_ms,
  e.idempotency_key, e.parent_id, e.parent_pos, e.error, NULL AS output,
  e.attempts, e.retries, e.resumed_at, e.gated, r.version_id, r.ref, r.mode, r.has_secrets,
  r.session_id, r.request_id, r.depth, r.seed, r.created_at, r.run_at, r.timeout_ms, r.cache_key, '' AS data,
  r.budget, ${LAST_CHUNK}, ${SHORTAGE} FROM executions e JOIN requests r ON r.number = e.number WHERE e.number = ?`;

function toState(row: ExecutionRow): ExecutionState {
  const status = NAMES[row.status] ?? "failed";
  const startedAt = row.started_at ?? 0;
  const finishedAt = row.finished_at ?? 0;
  switch (status) {
    case "queued":
      return { status };
    case "running":
      return { status, startedAt };
    case "waiting":
      return {
        status,
        startedAt,
        until: row.until_at,
        sleeps: JSON.parse(row.sleeps ?? "[]") as readonly Sleep[],
        shortage: JSON.parse(row.shortage ?? "null") as Shortage | null,
      };
    case "completed":
      return { status, startedAt, finishedAt, output: row.output, cached: row.cached === 1 };
    case "failed":
    case "cancelled":
      return { status, startedAt: row.started_at, finishedAt, error: JSON.parse(row.error ?? "null") as ErrorRecord };
  }
}

function toExecution(row: ExecutionRow): Execution {
  return {
    id: row.id,
    accountId: row.account_id,
    workflowId: row.workflow_id,
    versionId: row.version_id,
    ref: row.ref,
    mode: row.mode,
    data: row.data,
    hasSecrets: row.has_secrets === 1,
    sessionId: row.session_id,
    requestId: row.request_id,
    parentId: row.parent_id,
    parentPos: row.parent_pos,
    depth: row.depth,
    seed: row.seed,
    priority: row.priority,
    createdAt: row.created_at,
    runAt: row.run_at,
    timeoutMs: row.timeout_ms,
    cacheKey: row.cache_key,
    idempotencyKey: row.idempotency_key,
    budget: row.budget === null ? null : (JSON.parse(row.budget) as ExecutionBudget),
    state: toState(row),
    usage: {
      promptTokens: row.prompt_tokens,
      completionTokens: row.completion_tokens,
      costUsd: row.cost_usd,
      ops: row.ops,
      cpuMs: row.cpu_ms,
    },
    chunkCount: (row.last_chunk ?? -1) + 1,
    fence: row.fence,
    attempts: row.attempts,
    retries: row.retries,
    lastError: row.error === null || row.status > 2 ? null : (JSON.parse(row.error) as ErrorRecord),
    resumedAt: row.resumed_at,
    isGated: row.gated === 1,
  };
}

/** The execution that the WHERE clause finds, or null. */
export function readExecution(db: Database, where: string, ...values: (string | number)[]): Execution | null {
  const row = db.get<ExecutionRow>(`${SELECT_EXECUTION} WHERE ${where}`, ...values);
  return row === undefined ? null : toExecution(row);
}

/** The execution with this number as lists have it, or null. */
export function readListed(db: Database, number: number): ListedExecution | null {
  const row = db.get<ExecutionRow>(SELECT_LISTED, number);
  if (row === undefined) return null;
  const { data: _data, ...listed } = toExecution(row);
  return listed;
}
