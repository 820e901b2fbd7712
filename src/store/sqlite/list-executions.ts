import { setImmediate as nextTurn } from "node:timers/promises";
import type { ExecutionFilter, ExecutionPage, ListedExecution, ListPosition, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";
import { readListed } from "./execution-row.ts";
import { type Match, matchOf } from "./list-match.ts";
import { type ListKey, type ListSource, readKeys, sourceOf } from "./list-source.ts";

type Params = Parameters<Store["listExecutions"]>[0];

/** Rows looked at per turn of the event loop, unless that takes longer than {@link TURN_MS}. */
const SLICE = 250;
/** Time after which others get their turn. */
const TURN_MS = 5;
/** Rows looked at, and time taken, per page: the search for rare matches goes on with the next one. */
const MAX_LOOKED_AT = 10_000;
const MAX_SEARCH_MS = 250;

const EMPTY: ExecutionPage = { items: [], total: 0, next: null };

const TOTAL_OF = (column: string) =>
  `SELECT coalesce(sum(count), 0) AS total FROM counts WHERE ${column} = ? AND (? OR status IN (SELECT value FROM json_each(?)))`;
const TOTALS = { account: TOTAL_OF("account_id"), workflow: TOTAL_OF("workflow_id") };

function ownsWorkflow(db: Database, accountId: string, workflowId: string): boolean {
  const sql = "SELECT 1 AS found FROM workflows WHERE id = ? AND account_id = ?";
  return db.get(sql, workflowId, accountId) !== undefined;
}

/** What the running counts tell; null for filters that they do not know. */
function totalOf(db: Database, accountId: string, { workflowId, statuses, ...rest }: ExecutionFilter): number | null {
  if (Object.values(rest).some((member) => member !== undefined)) return null;
  const codes = JSON.stringify((statuses ?? []).map((status) => STATUS[status]));
  const sql = workflowId === undefined ? TOTALS.account : TOTALS.workflow;
  const isAny = statuses === undefined ? 1 : 0;
  return db.get<{ total: number }>(sql, workflowId ?? accountId, isAny, codes)?.total ?? 0;
}

function readAll(db: Database, keys: readonly ListKey[]): ListedExecution[] {
  return keys.map(({ number }) => readListed(db, number)).filter((item) => item !== null);
}

/** What one search has found and how far it came. */
interface Found {
  readonly keys: readonly ListKey[];
  readonly next: ListPosition | null;
}

function readRange(db: Database, source: ListSource, { limit, offset }: Params): Found {
  const keys = readKeys(db, source, limit + 1, offset);
  const page = keys.slice(0, limit);
  return { keys: page, next: keys.length > limit ? (page.at(-1) ?? null) : null };
}

/** Takes matches out of a slice until there are enough or the turn is over; returns the last row looked at. */
function sift(slice: readonly ListKey[], keys: ListKey[], limit: number, match: Match): ListKey | null {
  const turnEnd = performance.now() + TURN_MS;
  let last: ListKey | null = null;
  for (const key of slice) {
    last = key;
    if (match(key.number)) keys.push(key);
    if (keys.length === limit || performance.now() > turnEnd) break;
  }
  return last;
}

/** Looks at rows one by one, a few at a time, until there are enough or it has done its share. */
async function search(db: Database, params: Params, first: ListSource, match: Match): Promise<Found> {
  const { accountId, filter, limit } = params;
  const keys: ListKey[] = [];
  const end = performance.now() + MAX_SEARCH_MS;
  let source = first;
  for (let read = 0; ; read += SLICE) {
    const slice = readKeys(db, source, SLICE, 0);
    const last = sift(slice, keys, limit, match);
    const isAtEnd = slice.length < SLICE && last === slice.at(-1);
    if (last === null || isAtEnd) return { keys, next: null };
    if (keys.length === limit || read >= MAX_LOOKED_AT || performance.now() > end) return { keys, next: last };
    source = sourceOf(accountId, filter, last);
    await nextTurn();
  }
}

/** One page of the executions that a filter finds. */
export async function listExecutions(db: Database, params: Params): Promise<ExecutionPage> {
  const { accountId, filter, after } = params;
  if (filter.workflowId !== undefined && !ownsWorkflow(db, accountId, filter.workflowId)) return EMPTY;
  const source = sourceOf(accountId, filter, after);
  const match = matchOf(db, accountId, filter, source.covers);
  const found = match === null ? readRange(db, source, params) : await search(db, params, source, match);
  return { items: readAll(db, found.keys), total: totalOf(db, accountId, filter), next: found.next };
}
