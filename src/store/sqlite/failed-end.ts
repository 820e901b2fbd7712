import type { Database } from "./database.ts";
import { addDropped } from "./dropped-usage.ts";

interface Entry {
  readonly seq: number;
  readonly pos: number;
  readonly kind: string;
  readonly op: string;
  /** Begin of the payload. */
  readonly head: string;
  /** Null for what has no effect outside: it may simply be done again. */
  readonly started_at: number | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly cost_usd: number | null;
}

interface Child {
  readonly number: number;
  readonly id: string;
  readonly parent_pos: number;
  readonly has_secrets: number;
}

/** Depth of nested executions that are looked through; deeper than any limit on nesting. */
const MAX_DEPTH = 100;

const ENTRIES = `SELECT seq, pos, kind, op, substr(payload, 1, 16) AS head, started_at,
  prompt_tokens, completion_tokens, cost_usd FROM journal
  WHERE execution = ? ORDER BY seq DESC`;
const CUT = "DELETE FROM journal WHERE execution = ? AND seq >= ?";
const KEPT = "SELECT pos FROM journal WHERE execution = ? AND kind <> 'part' AND op LIKE 'workflow.%'";
const ENDED_CHILDREN = `SELECT e.number, e.id, e.parent_pos, r.has_secrets FROM executions e INDEXED BY executions_by_parent
  JOIN requests r ON r.number = e.number WHERE e.parent_id = ? AND e.status IN (4, 5)`;
const REVIVE = `UPDATE executions SET status = 0, ready = 0, due_at = ?, worker = NULL, cancel = 0, finished_at = NULL,
  attempts = attempts + 1, retries = 0, resumed_at = ? WHERE number = ?`;
// A child that cannot go on makes way for a new one.
const SET_APART = "UPDATE executions SET parent_pos = -number WHERE number = ?";

/** An HTTP server that answered 429, or 500 and above, has not done what it was asked for. */
function isFailure({ kind, op, head }: Entry): boolean {
  if (kind !== "result" || op !== "http.request") return kind === "error";
  const status = Number(/^\{"status":(\d{3})\D/.exec(head)?.[1] ?? 0);
  return status === 429 || status >= 500;
}

/** Sums what entries used; what nested executions used counts in their own end when they go on. */
function addUsage(db: Database, number: number, entries: readonly Entry[], revived: ReadonlySet<number>): void {
  const spent = { promptTokens: 0, completionTokens: 0, costUsd: 0 };
  for (const entry of entries) {
    if (revived.has(entry.pos)) continue;
    spent.promptTokens += entry.prompt_tokens ?? 0;
    spent.completionTokens += entry.completion_tokens ?? 0;
    spent.costUsd += entry.cost_usd ?? 0;
  }
  addDropped(db, number, spent);
}

/** The entries from the first that is dropped to the end, the last one first. */
function failedEnd(db: Database, number: number): readonly Entry[] {
  const failed = new Set<number>();
  const seen: Entry[] = [];
  let dropped = 0;
  for (const entry of db.iterate<Entry>(ENTRIES, number)) {
    if (isFailure(entry)) failed.add(entry.pos);
    if (!failed.has(entry.pos) && (entry.kind === "part" || entry.started_at !== null)) break;
    seen.push(entry);
    if (failed.has(entry.pos)) dropped = seen.length;
  }
  return seen.slice(0, dropped);
}

/** Nested executions that failed and that the journal, once cut, no longer has the end of. */
function endedChildren(db: Database, number: number, id: string): readonly Child[] {
  const kept = new Set(db.all<{ pos: number }>(KEPT, number).map(({ pos }) => pos));
  return db.all<Child>(ENDED_CHILDREN, id).filter(({ parent_pos: pos }) => pos >= 0 && !kept.has(pos));
}

/** Drops the failures at the end of an execution's journal, keeps what they used, and lets its nested executions that failed with it go on from `due` on. */
export function dropFailedEnd(
  db: Database,
  execution: { readonly number: number; readonly id: string },
  due: number,
  depth = 0,
): void {
  const { number, id } = execution;
  const end = failedEnd(db, number);
  const first = end.at(-1);
  if (first !== undefined) db.run(CUT, number, first.seq);
  const children = depth >= MAX_DEPTH ? [] : endedChildren(db, number, id);
  const revived = children.filter(({ has_secrets: hasSecrets }) => hasSecrets === 0);
  addUsage(db, number, end, new Set(revived.map(({ parent_pos: pos }) => pos)));
  for (const child of children) if (child.has_secrets === 1) db.run(SET_APART, child.number);
  for (const child of revived) {
    db.run(REVIVE, due, due, child.number);
    dropFailedEnd(db, child, due, depth + 1);
  }
}
