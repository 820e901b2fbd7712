import { setImmediate as nextTurn } from "node:timers/promises";
import type { EndedRoot, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";

type Place = Pick<EndedRoot, "createdAt" | "number">;

interface Row extends EndedRoot {
  readonly parentId: string | null;
}

/** Index entries looked at per turn of the event loop. */
const SLICE = 1_000;
const ENDED = [STATUS.completed, STATUS.failed, STATUS.cancelled];

const range = (order: "<" | ">") =>
  ENDED.map(
    (status) => `SELECT number, created_at AS createdAt FROM executions INDEXED BY executions_by_workflow
      WHERE workflow_id = ? AND status = ${status} AND created_at ${order}= ? AND (created_at ${order} ? OR number ${order} ?)`,
  ).join(" UNION ALL ");
const OLDEST = `${range(">")} ORDER BY createdAt, number LIMIT ?`;
const NEWEST = `${range("<")} ORDER BY createdAt DESC, number DESC LIMIT ?`;
const READ = `SELECT id, account_id AS accountId, created_at AS createdAt, finished_at AS finishedAt, number,
  parent_id AS parentId FROM executions WHERE number = ?`;
/** Someone is yet to be told of its end: removing it would take the message along. */
const IS_AWAITED = `SELECT 1 AS found FROM webhook_events INDEXED BY webhook_events_by_execution WHERE execution_id = ?1
  UNION ALL SELECT 1 FROM webhook_deliveries INDEXED BY webhook_deliveries_by_execution
  WHERE execution_id = ?1 AND due_at IS NOT NULL LIMIT 1`;
const IS_ROOT = "SELECT 1 AS found FROM executions WHERE number = ? AND parent_id IS NULL";
const COUNT = `SELECT coalesce(sum(count), 0) AS total FROM counts WHERE workflow_id = ? AND status IN (${ENDED.join(", ")})`;
const WORKFLOWS = "SELECT number, id, account_id AS accountId FROM workflows WHERE number > ? ORDER BY number LIMIT ?";

/** The next entries of the merged ranges of {@link OLDEST} or {@link NEWEST}. */
function slice(db: Database, sql: string, from: Place & { readonly workflowId: string }, limit: number): Place[] {
  const { workflowId, createdAt, number } = from;
  const values = ENDED.flatMap(() => [workflowId, createdAt, createdAt, number]);
  return db.all<Place>(sql, ...values, limit);
}

async function oldestKept(db: Database, workflowId: string, keep: number): Promise<Place | null> {
  const total = db.get<{ total: number }>(COUNT, workflowId)?.total ?? 0;
  if (total <= keep) return null;
  let place: Place = { createdAt: Number.POSITIVE_INFINITY, number: Number.MAX_SAFE_INTEGER };
  for (let kept = 0; ; ) {
    const found = slice(db, NEWEST, { workflowId, ...place }, SLICE);
    for (const one of found) {
      if (kept === keep) return place;
      if (db.get(IS_ROOT, one.number) === undefined) continue;
      kept += 1;
      place = one;
    }
    const last = found.at(-1);
    if (last === undefined || found.length < SLICE) return null;
    place = last;
    await nextTurn();
  }
}

type EndedRoots = Pick<Store, "listEndedRoots" | "oldestKept" | "listWorkflowIds">;

/** Ended executions by age, for retention. */
export function createEndedRoots(db: Database): EndedRoots {
  return {
    async listEndedRoots({ workflowId, after, limit }) {
      const found = slice(db, OLDEST, { workflowId, ...(after ?? { createdAt: 0, number: 0 }) }, limit);
      const rows = found.map(({ number }) => db.get<Row>(READ, number)).filter((row) => row !== undefined);
      const roots = rows.filter(({ id, parentId }) => parentId === null && db.get(IS_AWAITED, id) === undefined);
      const items = roots.map(({ parentId: _parent, ...root }) => root);
      return { items, next: found.length < limit ? null : (found.at(-1) ?? null) };
    },
    oldestKept: ({ workflowId, keep }) => oldestKept(db, workflowId, keep),
    async listWorkflowIds({ after, limit }) {
      return db.all<{ number: number; id: string; accountId: string }>(WORKFLOWS, after, limit);
    },
  };
}
