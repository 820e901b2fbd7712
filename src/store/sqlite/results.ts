import type { Chunk } from "../../../runtime/index.ts";
import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

interface ResultRow {
  readonly execution_id: string | null;
  readonly output: string | null;
  readonly chunks: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
}

/** Whose result is in the cache, and whose result an execution was given. */
export const RESULTS_OF = `
ALTER TABLE results ADD COLUMN execution_id TEXT;
ALTER TABLE requests ADD COLUMN result_of TEXT;
`;

const READ = "SELECT execution_id, output, chunks, created_at, expires_at FROM results WHERE key = ?";
const INSERT = `INSERT INTO results (key, workflow_id, created_at, expires_at, bytes, output, chunks, execution_id)
  SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM workflows WHERE id = ?)`;
const REMOVE_EXPIRED = `DELETE FROM results WHERE number IN (SELECT number FROM results INDEXED BY results_by_expiry
  WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`;
const RESULT_OF = `SELECT r.result_of AS id FROM executions e JOIN requests r ON r.number = e.number
  WHERE e.id = ? AND e.account_id = ?`;
const TOTAL_BYTES = "SELECT value FROM totals WHERE name = 'result_bytes'";
const REMOVE_OLDEST = "DELETE FROM results WHERE number = (SELECT min(number) FROM results)";

function prune(db: Database, { now, maxBytes, max }: Parameters<Store["pruneResults"]>[0]): number {
  let removed = db.run(REMOVE_EXPIRED, now, max);
  while (removed < max && (db.get<{ value: number }>(TOTAL_BYTES)?.value ?? 0) > maxBytes) {
    removed += db.run(REMOVE_OLDEST);
  }
  return removed;
}

/** Results by cache key. */
export function createResults(
  db: Database,
  writer: Writer,
): Pick<Store, "readResult" | "writeResult" | "resultOf" | "pruneResults"> {
  return {
    async readResult({ key, now }) {
      const row = db.get<ResultRow>(READ, key);
      if (row === undefined || (row.expires_at !== null && row.expires_at <= now)) return null;
      const chunks = row.chunks === null ? [] : (JSON.parse(row.chunks) as Chunk[]);
      const { execution_id: executionId, output, created_at: createdAt, expires_at: expiresAt } = row;
      return { executionId, output, chunks, createdAt, expiresAt };
    },
    async writeResult({ key, workflowId, result }) {
      const { executionId, output, createdAt, expiresAt } = result;
      const chunks = result.chunks.length === 0 ? null : JSON.stringify(result.chunks);
      const bytes = key.length + (output?.length ?? 0) + (chunks?.length ?? 0);
      await writer.write(() => {
        db.run("DELETE FROM results WHERE key = ?", key);
        db.run(INSERT, key, workflowId, createdAt, expiresAt, bytes, output, chunks, executionId, workflowId);
      });
    },
    async resultOf({ accountId, executionId }) {
      return db.get<{ id: string | null }>(RESULT_OF, executionId, accountId)?.id ?? null;
    },
    pruneResults: (params) => writer.write(() => prune(db, params)),
  };
}
