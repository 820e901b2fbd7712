import type { ExecutionFilter, ListPosition } from "../store.ts";
import type { Database, Value } from "./database.ts";
import { STATUS } from "./execution-columns.ts";

/** A row of an index: which execution, and what the list is sorted by. */
export type ListKey = ListPosition;

/** Part of an index, newest first, that has every execution a filter finds. */
export interface ListSource {
  /** Names the statement: one per kind of source, however many filters there are. */
  readonly sql: string;
  readonly values: readonly Value[];
  /** The members of the filter that every row of the part fulfils. */
  readonly covers: ReadonlySet<keyof ExecutionFilter>;
}

const STATUSES = Object.values(STATUS);
const FIRST: ListPosition = { key: Number.POSITIVE_INFINITY, number: Number.MAX_SAFE_INTEGER };
const ORDER = "ORDER BY key DESC, number DESC LIMIT ? OFFSET ?";
const BELOW = (column: string) => `${column} <= ? AND (${column} < ? OR number < ?)`;

const below = ({ key, number }: ListPosition): Value[] => [key, key, number];

/** One sorted range per status, merged; a status that is not wanted costs nothing. */
function rangeSql(column: "account_id" | "workflow_id", index: string): string {
  const range = (status: number) =>
    `SELECT number, created_at AS key FROM executions INDEXED BY ${index} WHERE ${column} = ? AND status = ${status}
     AND ? AND created_at >= ? AND ${BELOW("created_at")}`;
  return `${STATUSES.map(range).join(" UNION ALL ")} ${ORDER}`;
}

const BY_ACCOUNT = rangeSql("account_id", "executions_by_account");
const BY_WORKFLOW = rangeSql("workflow_id", "executions_by_workflow");
const BY_PARENT = `SELECT number, parent_pos AS key FROM executions INDEXED BY executions_by_parent
  WHERE parent_id = ? AND ${BELOW("parent_pos")} ${ORDER}`;
const BY_END = `SELECT number, finished_at AS key FROM executions INDEXED BY executions_by_end
  WHERE account_id = ? AND finished_at >= ? AND ${BELOW("finished_at")} ${ORDER}`;
// A session that nobody named is the id of its execution.
const BY_SESSION = `SELECT number, created_at AS key FROM requests INDEXED BY requests_by_session
    WHERE session_owner = ? AND session_id = ? AND created_at >= ? AND ${BELOW("created_at")}
  UNION ALL SELECT number, created_at AS key FROM requests
    WHERE number = (SELECT number FROM executions WHERE id = ? AND account_id = ?) AND session_owner IS NULL AND created_at >= ? AND ${BELOW("created_at")} ${ORDER}`;

/** Where a range begins: after the page before, and before the end of the wanted time. */
function startOf(after: ListPosition | null, before: number | undefined): ListPosition {
  const start = after ?? FIRST;
  // Number 0 is no row's: rows of exactly that time are left out.
  return before !== undefined && before <= start.key ? { key: before, number: 0 } : start;
}

const CREATED = ["createdFrom", "createdBefore"] as const;

function byStatus(accountId: string, filter: ExecutionFilter, after: ListPosition | null): ListSource {
  const { workflowId, statuses, createdFrom = 0, createdBefore } = filter;
  const wanted = statuses === undefined ? null : new Set(statuses.map((status) => STATUS[status]));
  const start = startOf(after, createdBefore);
  const range = (status: (typeof STATUSES)[number]): Value[] => {
    const isWanted = wanted === null || wanted.has(status) ? 1 : 0;
    return [workflowId ?? accountId, isWanted, createdFrom, ...below(start)];
  };
  const sql = workflowId === undefined ? BY_ACCOUNT : BY_WORKFLOW;
  return { sql, values: STATUSES.flatMap(range), covers: new Set(["workflowId", "statuses", ...CREATED]) };
}

/** The index that leaves the least to look at. The caller has checked that a workflow is the account's own. */
export function sourceOf(accountId: string, filter: ExecutionFilter, after: ListPosition | null): ListSource {
  const { parentId, sessionId, finishedFrom, finishedBefore, createdFrom = 0, createdBefore } = filter;
  if (parentId !== undefined) {
    return { sql: BY_PARENT, values: [parentId, ...below(after ?? FIRST)], covers: new Set(["parentId"]) };
  }
  if (sessionId !== undefined) {
    const range = [createdFrom, ...below(startOf(after, createdBefore))];
    const values = [accountId, sessionId, ...range, sessionId, accountId, ...range];
    return { sql: BY_SESSION, values, covers: new Set(["sessionId", ...CREATED]) };
  }
  if (finishedFrom === undefined && finishedBefore === undefined) return byStatus(accountId, filter, after);
  const values = [accountId, finishedFrom ?? 0, ...below(startOf(after, finishedBefore))];
  return { sql: BY_END, values, covers: new Set(["finishedFrom", "finishedBefore"]) };
}

/** The next rows of a source. */
export function readKeys(db: Database, { sql, values }: ListSource, limit: number, offset: number): readonly ListKey[] {
  return db.all<ListKey>(sql, ...values, limit, offset);
}
