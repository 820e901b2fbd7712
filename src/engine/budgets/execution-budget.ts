import type { Amounts, ExecutionBudget } from "../../store/store.ts";
import type { LiveRun } from "../live-run.ts";
import { leastAmounts } from "./amounts.ts";

/** What a new execution is asked to keep within. */
export interface BudgetFacts {
  /** What its script says. */
  readonly config: Amounts | null;
  /** What its caller says. */
  readonly asked: Amounts | null;
  /** Name of the API key whose daily pool pays; null = none. */
  readonly key: string | null;
  readonly parent: LiveRun | null;
}

/** What bounds a new execution: the stricter of what script and caller say, and whatever bounds the one that calls it. Null: nothing but, perhaps, the account's pool. */
export function budgetOf({ config, asked, key, parent }: BudgetFacts): ExecutionBudget | null {
  const limits = leastAmounts(config, asked);
  const caller = parent?.call.execution ?? null;
  const outer = caller?.budget ?? null;
  if (limits === null && key === null && outer === null) return null;
  const own = outer === null || outer.limits === null || caller === null ? [] : [caller.id];
  return {
    limits,
    key: outer?.key ?? key,
    above: [...own, ...(outer?.above ?? [])],
    usd: (limits?.nanoUsd ?? null) !== null || outer?.usd === true,
  };
}
