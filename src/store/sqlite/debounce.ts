import type { Gates, NewExecution } from "../store.ts";
import type { Database } from "./database.ts";

const FIND = `SELECT g.number, g.debounce_until AS until, e.ready, e.due_at AS due
  FROM gates g JOIN executions e ON e.number = g.number WHERE g.debounce = ?`;
const FREE = "UPDATE gates SET debounce = NULL WHERE number = ?";
const MOVE = "UPDATE executions SET due_at = ?, priority = ? WHERE number = ?";
const REPLACE = `UPDATE requests SET version_id = ?, has_secrets = ?, session_id = ?, session_owner = ?, request_id = ?, run_at = ?,
  timeout_ms = ?, cache_key = ?, data = ? WHERE number = ?`;

interface Waiting {
  readonly number: number;
  readonly until: number;
  readonly ready: number;
  readonly due: number | null;
}

/** Gives the request of a call to the execution of its debounce key that still waits; its integer key, or null when none does. */
export function joinDebounced(
  db: Database,
  execution: NewExecution,
  { key, delayMs }: NonNullable<Gates["debounce"]>,
): number | null {
  const found = db.get<Waiting>(FIND, `${execution.workflowId}:${key}`);
  if (found === undefined) return null;
  const { number, until, ready, due } = found;
  const now = execution.createdAt;
  if (ready === 1 || due === null || due <= now) {
    db.run(FREE, number);
    return null;
  }
  const runAt = Math.min(now + delayMs, until);
  const owner = execution.sessionId === execution.id ? null : execution.accountId;
  const { versionId, hasSecrets, sessionId, requestId, timeoutMs, cacheKey, data, priority } = execution;
  db.run(MOVE, runAt, priority, number);
  db.run("UPDATE gates SET priority = ? WHERE number = ?", priority, number);
  const session = [sessionId, owner];
  db.run(REPLACE, versionId, hasSecrets ? 1 : 0, ...session, requestId, runAt, timeoutMs, cacheKey, data, number);
  return number;
}
