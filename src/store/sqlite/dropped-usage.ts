import type { SpentUsage } from "../store.ts";
import type { Database } from "./database.ts";

/** What the calls used that another attempt dropped from a journal; few executions have any. */
export const DROPPED_USAGE = `
CREATE TABLE dropped_usage (
  execution INTEGER PRIMARY KEY, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL
) STRICT;
`;

const ADD = `INSERT INTO dropped_usage (execution, prompt_tokens, completion_tokens, cost_usd) VALUES (?, ?, ?, ?)
  ON CONFLICT (execution) DO UPDATE SET prompt_tokens = prompt_tokens + excluded.prompt_tokens,
  completion_tokens = completion_tokens + excluded.completion_tokens, cost_usd = cost_usd + excluded.cost_usd`;
const READ = `SELECT d.prompt_tokens AS promptTokens, d.completion_tokens AS completionTokens, d.cost_usd AS costUsd
  FROM executions e JOIN dropped_usage d ON d.execution = e.number WHERE e.id = ?`;

const NOTHING: SpentUsage = Object.freeze({ promptTokens: 0, completionTokens: 0, costUsd: 0 });

/** Adds to what was dropped of an execution. */
export function addDropped(db: Database, execution: number, spent: SpentUsage): void {
  const { promptTokens, completionTokens, costUsd } = spent;
  if (promptTokens + completionTokens + costUsd === 0) return;
  db.run(ADD, execution, promptTokens, completionTokens, costUsd);
}

/** What was dropped of an execution so far. */
export function readDropped(db: Database, executionId: string): SpentUsage {
  return db.get<SpentUsage>(READ, executionId) ?? NOTHING;
}
