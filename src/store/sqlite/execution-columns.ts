import type { Usage } from "../../../runtime/index.ts";
import type { Ending } from "../store.ts";

/** Statuses as stored. */
export const STATUS = { queued: 0, running: 1, waiting: 2, completed: 3, failed: 4, cancelled: 5 } as const;

/** Columns status, output, error, cached of an ending. */
export function endingColumns(ending: Ending): [number, string | null, string | null, number] {
  if (ending.status === "completed") return [STATUS.completed, ending.output, null, ending.cached ? 1 : 0];
  return [STATUS[ending.status], null, JSON.stringify(ending.error), 0];
}

/** Columns prompt_tokens, completion_tokens, cost_usd, ops, cpu_ms. */
export function usageColumns(usage: Usage): [number, number, number, number, number] {
  return [usage.promptTokens, usage.completionTokens, usage.costUsd, usage.ops, usage.cpuMs];
}
