import type { Database } from "./database.ts";

interface Entry {
  readonly seq: number;
  readonly pos: number;
  readonly kind: string;
  readonly op: string;
  /** Begin of the payload. */
  readonly head: string;
  /** Null for what has no effect outside: it may simply be done again. */
  readonly started_at: number | null;
}

interface Child {
  readonly number: number;
  readonly id: string;
  readonly parent_pos: number;
  readonly has_secrets: number;
}

/** Depth of nested executions that are looked through; deeper than any limit on nesting. */
const MAX_DEPTH = 100;

const ENTRIES = `SELECT seq, pos, kind, op, substr(payload, 1, 16) AS head, started_at FROM journal
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

function cutJournal(db: Database, number: number): void {
  const failed = new Set<number>();
  let cut: number | null = null;
  for (const entry of db.iterate<Entry>(ENTRIES, number)) {
    if (isFailure(entry)) failed.add(entry.pos);
    if (failed.has(entry.pos)) cut = entry.seq;
    else if (entry.kind === "part" || entry.started_at !== null) break;
  }
  if (cut !== null) db.run(CUT, number, cut);
}

/** Drops the failures at the end of an execution's journal, and lets its nested executions that failed with it go on from `due` on. */
export function dropFailedEnd(
  db: Database,
  execution: { readonly number: number; readonly id: string },
  due: number,
  depth = 0,
): void {
  const { number, id } = execution;
  cutJournal(db, number);
  if (depth >= MAX_DEPTH) return;
  const kept = new Set(db.all<{ pos: number }>(KEPT, number).map(({ pos }) => pos));
  for (const child of db.all<Child>(ENDED_CHILDREN, id)) {
    if (child.parent_pos < 0 || kept.has(child.parent_pos)) continue;
    if (child.has_secrets === 1) {
      db.run(SET_APART, child.number);
      continue;
    }
    db.run(REVIVE, due, due, child.number);
    dropFailedEnd(db, child, due, depth + 1);
  }
}
