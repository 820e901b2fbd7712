import type { Approval, LiveAnswer, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { promote } from "./deliver-event.ts";
import { STATUS } from "./execution-columns.ts";
import { admitWait, requireHolder, WAIT_STATE } from "./waits.ts";
import type { Writer } from "./writer.ts";

type Approvals = Pick<Store, "openApproval" | "listApprovals" | "findApproval" | "decideApproval">;
type OpenParams = Parameters<Store["openApproval"]>[0];
type DecideParams = Parameters<Store["decideApproval"]>[0];

interface ApprovalRow extends Omit<Approval, "status"> {
  readonly state: number;
}

const COLUMNS = `w.id, w.pos, w.name AS title, w.detail, w.since AS createdAt, w.until, w.state, w.answer AS decision,
  e.account_id AS accountId, e.id AS executionId, r.ref`;
const FIND = `SELECT ${COLUMNS} FROM waits w JOIN executions e ON e.number = w.execution JOIN requests r ON r.number = e.number
  WHERE w.id = ?`;
const OPEN = "FROM waits w INDEXED BY waits_to_decide";
const IS_OPEN = "WHERE w.account_id = ? AND w.state = 0 AND w.kind = 1 AND (w.until IS NULL OR w.until > ?)";
const LIST = `SELECT ${COLUMNS} ${OPEN} CROSS JOIN executions e ON e.number = w.execution JOIN requests r ON r.number = e.number
  ${IS_OPEN} ORDER BY w.number LIMIT ? OFFSET ?`;
const COUNT = `SELECT count(*) AS n ${OPEN} ${IS_OPEN}`;
const INSERT = `INSERT INTO waits (id, execution, pos, account_id, kind, name, state, since, until, detail)
  SELECT ?, number, ?, account_id, 1, ?, 0, ?, ?, ? FROM executions WHERE number = ?`;
const ASKED = "SELECT id, until, since AS createdAt FROM waits WHERE execution = ? AND pos = ?";
const DECIDE = "UPDATE waits SET state = 1, answer = ? WHERE id = ? AND state = 0";
const EXECUTION = "SELECT e.number, e.status FROM waits w JOIN executions e ON e.number = w.execution WHERE w.id = ?";

function statusOf({ state, until, decision }: ApprovalRow, now: number): Approval["status"] {
  if (decision !== null) return "decided";
  if (state === WAIT_STATE.over) return "over";
  return state === WAIT_STATE.recorded || (until !== null && until <= now) ? "expired" : "open";
}

function toApproval({ state, ...row }: ApprovalRow, now: number): Approval {
  return { ...row, status: statusOf({ state, ...row }, now) };
}

function find(db: Database, accountId: string | null, approvalId: string, now: number): Approval | null {
  const row = db.get<ApprovalRow>(FIND, approvalId);
  if (row === undefined || (accountId !== null && row.accountId !== accountId)) return null;
  return toApproval(row, now);
}

function open(db: Database, { lease, approval, maxOpen }: OpenParams) {
  const { number } = requireHolder(db, lease);
  const { id, pos, title, detail, createdAt, until } = approval;
  type Asked = { readonly id: string; readonly until: number | null; readonly createdAt: number };
  const asked = db.get<Asked>(ASKED, number, pos);
  if (asked !== undefined) return asked;
  admitWait(db, number, maxOpen);
  db.run(INSERT, id, pos, title, createdAt, until, detail, number);
  return { id, until, createdAt };
}

function decide(
  db: Database,
  { accountId, approvalId, decision, now }: DecideParams,
): { live: LiveAnswer | null } | null {
  const approval = find(db, accountId, approvalId, now);
  if (approval?.status !== "open") return null;
  db.run(DECIDE, decision, approvalId);
  const execution = db.get<{ number: number; status: number }>(EXECUTION, approvalId);
  if (execution === undefined || promote(db, execution.number)) return { live: null };
  if (execution.status !== STATUS.running) return { live: null };
  return {
    live: { executionId: approval.executionId, wait: { kind: "approval", id: approvalId }, answer: decision },
  };
}

/** Questions to people and their decisions. */
export function createApprovals(db: Database, writer: Writer): Approvals {
  return {
    openApproval: (params) => writer.write(() => open(db, params)),
    async listApprovals({ accountId, now, limit, offset }) {
      const items = db.all<ApprovalRow>(LIST, accountId, now, limit, offset).map((row) => toApproval(row, now));
      return { items, total: db.get<{ n: number }>(COUNT, accountId, now)?.n ?? 0 };
    },
    async findApproval({ accountId, approvalId, now }) {
      return find(db, accountId, approvalId, now);
    },
    decideApproval: (params) => writer.write(() => decide(db, params)),
  };
}
