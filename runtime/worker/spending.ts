import type { OpRequest } from "../interceptors/interceptor.ts";
import type { Funds, Spending, Ticket } from "../spending.ts";
import { isAttemptOver } from "./attempt-over.ts";

type Asker = Pick<OpRequest, "pos" | "scope" | "signal" | "park">;

/** Parks an op for want of money until it may be worth to ask again; throws the signal's reason when it is given up meanwhile. */
export async function waitForFunds({ scope, signal, park }: Omit<Asker, "pos">, funds: Funds): Promise<void> {
  const funded = scope.funded(funds);
  park(funds.until ?? Number.POSITIVE_INFINITY, true);
  try {
    await funded;
  } finally {
    park(null);
  }
  signal.throwIfAborted();
}

/** Does it again, once, when the attempt ended that it was asked for: the call may have gone over to the next one meanwhile. */
async function forAnyAttempt<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (signal.aborted || !isAttemptOver(error)) throw error;
    return ask();
  }
}

/** The budgets of an op's execution; null when it has none. */
export function spendingOf(request: Asker): Spending | null {
  const { scope, pos, signal } = request;
  const { budget = null } = scope.job;
  if (budget === null) return null;
  const open = new Set<number>();
  const take = (): number => {
    let slot = 0;
    while (open.has(slot)) slot++;
    open.add(slot);
    return slot;
  };
  return {
    usd: budget.usd,
    async reserve(worst): Promise<Ticket> {
      const slot = take();
      for (;;) {
        const answer = await forAnyAttempt(() => scope.reserve({ pos, slot, worst }), signal);
        if (answer.ticket === null) {
          await forAnyAttempt(() => waitForFunds(request, answer), signal);
          continue;
        }
        const { ticket } = answer;
        return {
          settle(actual) {
            if (open.delete(slot)) scope.settle(ticket, actual);
          },
        };
      }
    },
  };
}
