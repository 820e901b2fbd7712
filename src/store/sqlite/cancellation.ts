import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";
import { leaveGates } from "./gates.ts";
import { spendReserved } from "./reservations.ts";
import type { Writer } from "./writer.ts";

type CancelParams = Parameters<Store["cancelExecution"]>[0];
type ChildrenParams = Parameters<Store["cancelWaitingChildren"]>[0];

const CANCEL = `UPDATE executions SET status = ?, error = ?, finished_at = ?, ready = 0, due_at = NULL, until_at = NULL,
  worker = NULL, fence = fence + 1 WHERE number = ?`;
const FIND = "SELECT number, status, ready, gated FROM executions WHERE id = ? AND account_id = ?";
const WAITING_CHILDREN = `SELECT id, number, status, ready, gated FROM executions INDEXED BY executions_by_parent
  WHERE parent_id = ? AND account_id = ? AND status = ${STATUS.waiting} LIMIT ?`;

interface Row {
  readonly number: number;
  readonly status: number;
  readonly ready: number;
  readonly gated: number;
}

function end(db: Database, row: Row, { error, now }: Pick<CancelParams, "error" | "now">): void {
  const status = error.code === "EXECUTION_CANCELLED" ? STATUS.cancelled : STATUS.failed;
  db.run(CANCEL, status, JSON.stringify(error), now, row.number);
  spendReserved(db, row.number);
  if (row.gated === 1) leaveGates(db, row.number, "ended");
}

function cancel(db: Database, params: CancelParams): boolean {
  const row = db.get<Row>(FIND, params.executionId, params.accountId);
  if (row === undefined || row.status > STATUS.waiting) return false;
  // A running one that is claimable has no living holder to ask.
  if (row.status === STATUS.running && row.ready === 0)
    db.run("UPDATE executions SET cancel = 1 WHERE number = ?", row.number);
  else end(db, row, params);
  return true;
}

function cancelChildren(db: Database, params: ChildrenParams): readonly string[] {
  const { accountId, parentId, max } = params;
  const rows = db.all<Row & { readonly id: string }>(WAITING_CHILDREN, parentId, accountId, max);
  for (const row of rows) end(db, row, params);
  return rows.map(({ id }) => id);
}

/** Executions ended on request. */
export function createCancellation(
  db: Database,
  writer: Writer,
): Pick<Store, "cancelExecution" | "cancelWaitingChildren"> {
  return {
    cancelExecution: (params) => writer.write(() => cancel(db, params)),
    cancelWaitingChildren: (params) => writer.write(() => cancelChildren(db, params)),
  };
}
