import type { Store } from "../store.ts";
import type { Database } from "./database.ts";

/** The graph's node that a call was made for. */
export const JOURNAL_NODES = "ALTER TABLE journal ADD COLUMN node TEXT;";

const FIND = "SELECT number FROM executions WHERE id = ? AND account_id = ?";
const SUM = `SELECT node, sum(prompt_tokens) AS promptTokens, sum(completion_tokens) AS completionTokens,
  sum(cost_usd) AS costUsd FROM journal WHERE execution = ? AND node IS NOT NULL GROUP BY node`;

interface Row {
  readonly node: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
}

/** What the calls of the nodes of a graph used. */
export function createNodeUsage(db: Database): Pick<Store, "usageByNode"> {
  return {
    async usageByNode({ accountId, executionId }) {
      const found = db.get<{ number: number }>(FIND, executionId, accountId);
      if (found === undefined) return new Map();
      const rows = [...db.iterate<Row>(SUM, found.number)];
      return new Map(rows.map(({ node, ...usage }) => [node, usage]));
    },
  };
}
