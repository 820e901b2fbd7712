import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

/** Rows removed per transaction: keeps one turn of the event loop short. */
const PORTION = 1_000;

const REMOVE_DEFINITION = [
  "DELETE FROM version_blobs WHERE version_id IN (SELECT id FROM versions WHERE workflow_id = ?)",
  "DELETE FROM version_contents WHERE version_id IN (SELECT id FROM versions WHERE workflow_id = ?)",
  "DELETE FROM versions WHERE workflow_id = ?",
  "DELETE FROM schedule_runs WHERE schedule_id IN (SELECT id FROM schedules WHERE workflow_id = ?)",
  "DELETE FROM schedules WHERE workflow_id = ?",
  // An endpoint for this workflow alone goes with it.
  `DELETE FROM webhook_endpoints WHERE number IN (SELECT endpoint FROM webhook_scopes s WHERE s.workflow_id = ?
    AND NOT EXISTS (SELECT 1 FROM webhook_scopes o WHERE o.endpoint = s.endpoint AND o.workflow_id <> s.workflow_id))`,
  "DELETE FROM webhook_scopes WHERE workflow_id = ?",
  "DELETE FROM workflows WHERE id = ?",
  "DELETE FROM counts WHERE workflow_id = ?",
  "INSERT INTO doomed (workflow_id) VALUES (?) ON CONFLICT DO NOTHING",
  // Nobody may claim, renew or end what is about to vanish.
  `UPDATE executions SET ready = 0, due_at = NULL, fence = fence + 1 WHERE workflow_id = ? AND status IN (0, 1, 2)`,
];
const SHARED = {
  bundles: "SELECT DISTINCT bundle_hash AS hash FROM versions WHERE workflow_id = ?",
  blobs: `SELECT DISTINCT b.hash FROM versions v JOIN version_blobs b ON b.version_id = v.id WHERE v.workflow_id = ?`,
};
const REMOVE_UNUSED = {
  bundles:
    "DELETE FROM bundles WHERE hash = ? AND NOT EXISTS (SELECT 1 FROM versions WHERE bundle_hash = bundles.hash)",
  blobs: "DELETE FROM blobs WHERE hash = ? AND NOT EXISTS (SELECT 1 FROM version_blobs b WHERE b.hash = blobs.hash)",
};
const NEXT_EXECUTIONS = "SELECT number FROM executions INDEXED BY executions_by_workflow WHERE workflow_id = ? LIMIT ?";
const REMOVE_EXECUTION = [
  "DELETE FROM journal WHERE execution = ?",
  "DELETE FROM output WHERE execution = ?",
  "DELETE FROM forks WHERE execution = ?",
  "DELETE FROM dropped_usage WHERE execution = ?",
  "DELETE FROM requests WHERE number = ?",
  "DELETE FROM executions WHERE number = ?",
];
const REMOVE_REST = [
  "DELETE FROM slots WHERE slot IN (SELECT slot FROM slots WHERE slot >= ?1 || ':' AND slot < ?1 || ';' LIMIT ?2)",
  "DELETE FROM starts WHERE (rate, n) IN (SELECT rate, n FROM starts WHERE rate >= ?1 || ':' AND rate < ?1 || ';' LIMIT ?2)",
  "DELETE FROM results WHERE number IN (SELECT number FROM results WHERE workflow_id = ? LIMIT ?)",
];

function removeDefinition(db: Database, accountId: string, workflowId: string): boolean {
  const sql = "SELECT 1 AS found FROM workflows WHERE id = ? AND account_id = ?";
  if (db.get(sql, workflowId, accountId) === undefined) return false;
  const bundles = db.all<{ hash: string }>(SHARED.bundles, workflowId);
  const blobs = db.all<{ hash: string }>(SHARED.blobs, workflowId);
  for (const statement of REMOVE_DEFINITION) db.run(statement, workflowId);
  for (const { hash } of bundles) db.run(REMOVE_UNUSED.bundles, hash);
  for (const { hash } of blobs) db.run(REMOVE_UNUSED.blobs, hash);
  return true;
}

/** Removes one portion of what a deleted workflow left; true when nothing is left. */
function removePortion(db: Database, workflowId: string): boolean {
  const executions = db.all<{ number: number }>(NEXT_EXECUTIONS, workflowId, PORTION);
  for (const { number } of executions) {
    for (const statement of REMOVE_EXECUTION) db.run(statement, number);
  }
  if (executions.length === PORTION) return false;
  const removed = REMOVE_REST.map((statement) => db.run(statement, workflowId, PORTION));
  if (removed.includes(PORTION)) return false;
  // Cancelling one of them in the meantime counted it again.
  db.run("DELETE FROM counts WHERE workflow_id = ?", workflowId);
  db.run("DELETE FROM doomed WHERE workflow_id = ?", workflowId);
  return true;
}

/** Finishes the deletions that the end of the last process interrupted; a portion per turn, so it need not be awaited. */
export async function finishRemovals(db: Database, writer: Writer): Promise<void> {
  for (const { workflow_id: id } of db.all<{ workflow_id: string }>("SELECT workflow_id FROM doomed")) {
    while (!(await writer.write(() => removePortion(db, id))));
  }
}

/**
 * Deletion of workflows. The definition and the first portion of the rest go in one transaction, which also takes live
 * executions from their holders; a longer history follows in portions, so that others are served in between.
 */
export function createRemoval(db: Database, writer: Writer, forget: () => void): Pick<Store, "deleteWorkflow"> {
  return {
    async deleteWorkflow({ accountId, workflowId }) {
      let done = false;
      const found = await writer.write(() => {
        forget();
        const known = removeDefinition(db, accountId, workflowId);
        if (known) done = removePortion(db, workflowId);
        return known;
      });
      while (found && !done) done = await writer.write(() => removePortion(db, workflowId));
      return found;
    },
  };
}
