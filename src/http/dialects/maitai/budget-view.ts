import { showAmounts } from "../../../engine/budgets/amounts.ts";
import { showShortage } from "../../../engine/budgets/shortage-error.ts";
import type { Amounts, Balance, Execution, ListedExecution, Shortage } from "../../../engine/types.ts";
import { toExecId } from "../../ids.ts";
import type { DialectDeps } from "../dialect.ts";

/** The shortage that a run waits for; null when it waits for something else. */
export function shortageOf({ state }: Pick<ListedExecution, "state">): Shortage | null {
  return state.status === "waiting" ? state.shortage : null;
}

/** A shortage as the API shows it. */
export function toShortageView(shortage: Shortage): Record<string, unknown> {
  const { execution_id: executionId, ...shown } = showShortage(shortage);
  return executionId === undefined ? shown : { ...shown, execution_id: toExecId(executionId) };
}

const left = (limit: number | null, spent: number, reserved: number) =>
  limit === null ? null : Math.max(0, limit - spent - reserved);

/** Limits and what is spent, reserved and left of them; a limit of null is none. */
export function toBalanceView({ limits, spent, reserved }: Balance): Record<string, unknown> {
  const rest: Amounts = {
    nanoUsd: left(limits.nanoUsd, spent.nanoUsd, reserved.nanoUsd),
    tokens: left(limits.tokens, spent.tokens, reserved.tokens),
    calls: left(limits.calls, spent.calls, reserved.calls),
  };
  return {
    limits: showAmounts(limits),
    spent: showAmounts(spent),
    reserved: showAmounts(reserved),
    left: showAmounts(rest),
  };
}

/** The budget of a run: its own limits, and what it waits for; null when it has no budget and waits for none. */
export async function toBudgetView({ budgets }: DialectDeps, execution: Execution): Promise<object | null> {
  const { id: executionId, accountId, budget } = execution;
  const shortage = shortageOf(execution);
  const balance = budget?.limits == null ? null : await budgets.balance({ accountId, executionId });
  if (balance === null && shortage === null) return null;
  return {
    ...(balance === null ? {} : toBalanceView(balance)),
    waits_for: shortage === null ? null : toShortageView(shortage),
  };
}
