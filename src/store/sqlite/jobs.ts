import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import { readDropped } from "./dropped-usage.ts";
import { STATUS, usageColumns } from "./execution-columns.ts";
import { readExecution } from "./execution-row.ts";
import { dropFailedEnd } from "./failed-end.ts";
import { addGates, leaveGates } from "./gates.ts";
import { holderOf } from "./holder.ts";
import { appendOutput } from "./output.ts";
import { endShortage } from "./places.ts";
import type { Writer } from "./writer.ts";

type Jobs = Pick<Store, "retryExecution" | "resumeExecution" | "droppedUsage" | "countExecutions">;
type RetryParams = Parameters<Store["retryExecution"]>[0];
type ResumeParams = Parameters<Store["resumeExecution"]>[0];

const PLAN = "UPDATE requests SET run_at = ? WHERE number = ?";
// Asked to stop while it fails: claimable at once, so that whoever claims it learns of the request.
const RETRY = `UPDATE executions SET status = 0, due_at = ?, ready = cancel, worker = NULL, error = ?,
  attempts = attempts + 1, retries = retries + 1, resumed_at = coalesce(?, resumed_at), prompt_tokens = ?, completion_tokens = ?, cost_usd = ?, ops = ?,
  cpu_ms = ? WHERE number = ? RETURNING gated`;
const FAILED = `SELECT e.number FROM executions e JOIN requests r ON r.number = e.number
  WHERE e.id = ? AND e.account_id = ? AND e.status = ${STATUS.failed} AND e.parent_id IS NULL AND r.has_secrets = 0`;
const RESUME = `UPDATE executions SET status = 0, due_at = ?, ready = 1, worker = NULL, cancel = 0, finished_at = NULL,
  attempts = attempts + 1, retries = 0, resumed_at = ?, gated = 0 WHERE number = ?`;
const COUNT = "SELECT coalesce(sum(count), 0) AS total FROM counts WHERE account_id = ? AND status = ?";

function retry(db: Database, params: RetryParams): boolean {
  const { lease, until, timeoutFrom, error, usage, chunks, logs } = params;
  const holder = holderOf(db, lease);
  if (holder === null) return false;
  const { number } = holder;
  appendOutput(db, number, { chunks, logs });
  dropFailedEnd(db, { number, id: lease.executionId }, until);
  db.run(PLAN, until, number);
  const values = [until, JSON.stringify(error), timeoutFrom, ...usageColumns(usage), number];
  const row = db.get<{ gated: number }>(RETRY, ...values);
  if (row?.gated === 1) leaveGates(db, number, "again");
  return true;
}

function resume(db: Database, { accountId, executionId, gates, now }: ResumeParams) {
  const found = db.get<{ number: number }>(FAILED, executionId, accountId);
  if (found === undefined) return null;
  const { number } = found;
  dropFailedEnd(db, { number, id: executionId }, now);
  endShortage(db, number);
  db.run(PLAN, now, number);
  db.run(RESUME, now, now, number);
  const resumed = readExecution(db, "e.number = ?", number);
  if (resumed === null || gates === null) return resumed;
  addGates(db, number, resumed, { gates, isDue: true, now });
  return readExecution(db, "e.number = ?", number);
}

/** Further attempts of executions. */
export function createJobs(db: Database, writer: Writer): Jobs {
  return {
    retryExecution: (params) => writer.write(() => retry(db, params)),
    resumeExecution: (params) => writer.write(() => resume(db, params)),
    droppedUsage: async ({ executionId }) => readDropped(db, executionId),
    async countExecutions({ accountId, status }) {
      return db.get<{ total: number }>(COUNT, accountId, STATUS[status])?.total ?? 0;
    },
  };
}
