import type { Execution, ExecutionState, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { enqueue, findChild } from "./enqueue.ts";
import { STATUS } from "./execution-columns.ts";
import { readExecution } from "./execution-row.ts";
import { endedState, insertExecution, runningState } from "./new-execution.ts";
import { appendOutput } from "./output.ts";
import type { Writer } from "./writer.ts";

type Executions = Pick<
  Store,
  "enqueue" | "startExecution" | "recordExecution" | "findExecution" | "findChild" | "listExecutions"
>;

/** What a list covers. */
interface Scope {
  readonly column: "account_id" | "workflow_id";
  readonly index: "executions_by_account" | "executions_by_workflow";
  readonly id: string;
  readonly statuses: readonly number[];
}

/** Merges one ordered index range per status, so that a page costs the same among a million rows. */
function pageOf(db: Database, scope: Scope, limit: number, offset: number): { items: Execution[]; total: number } {
  const { column, index, id, statuses } = scope;
  const range = (status: number) =>
    `SELECT number FROM executions INDEXED BY ${index} WHERE ${column} = ? AND status = ${status}`;
  const sql = `${statuses.map(range).join(" UNION ALL ")} ORDER BY number DESC LIMIT ? OFFSET ?`;
  const numbers = db.all<{ number: number }>(sql, ...statuses.map(() => id), limit, offset);
  const items = numbers.map(({ number }) => readExecution(db, "e.number = ?", number)).filter((item) => item !== null);
  const sum = `SELECT coalesce(sum(count), 0) AS total FROM counts WHERE ${column} = ? AND status IN (${statuses.join(", ")})`;
  return { items, total: db.get<{ total: number }>(sum, id)?.total ?? 0 };
}

function scopeOf(params: {
  accountId: string;
  workflowId: string | null;
  status: ExecutionState["status"] | null;
}): Scope {
  const statuses = params.status === null ? Object.values(STATUS) : [STATUS[params.status]];
  return params.workflowId === null
    ? { column: "account_id", index: "executions_by_account", id: params.accountId, statuses }
    : { column: "workflow_id", index: "executions_by_workflow", id: params.workflowId, statuses };
}

function ownsWorkflow(db: Database, accountId: string, workflowId: string): boolean {
  return (
    db.get("SELECT 1 AS found FROM workflows WHERE id = ? AND account_id = ?", workflowId, accountId) !== undefined
  );
}

/** Rows of executions: made, found, listed. */
export function createExecutions(db: Database, writer: Writer): Executions {
  return {
    enqueue: ({ execution, gates = null }) => writer.write(() => enqueue(db, execution, gates)),
    startExecution({ execution, ...start }) {
      const started = writer.writeUnguarded(() => {
        insertExecution(db, execution, runningState(start));
        return { executionId: execution.id, fence: 1 };
      });
      // Callers may leave it unawaited: a failure shows in their next write, which finds no row.
      started.catch(() => undefined);
      return started;
    },
    recordExecution: (params) =>
      writer.writeUnguarded(() => {
        const number = insertExecution(db, params.execution, endedState(params));
        appendOutput(db, number, params);
      }),
    async findExecution({ accountId, executionId }) {
      return readExecution(db, "e.id = ? AND e.account_id = ?", executionId, accountId);
    },
    async findChild({ parentId, parentPos }) {
      return findChild(db, parentId, parentPos);
    },
    async listExecutions({ accountId, workflowId, status, limit, offset }) {
      if (workflowId !== null && !ownsWorkflow(db, accountId, workflowId)) return { items: [], total: 0 };
      return pageOf(db, scopeOf({ accountId, workflowId, status }), limit, offset);
    },
  };
}
