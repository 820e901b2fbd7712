import type { Ledger } from "./ledger.ts";
import { poolError } from "./shortage-error.ts";

/** Who calls, and with an API key of which name. */
interface Caller {
  readonly accountId: string;
  readonly key?: string | null;
}

/** The API key whose daily pool pays; null when it has none. */
export function poolKey({ accountId, key = null }: Caller, ledger: Ledger): string | null {
  return key !== null && ledger.hasPool(accountId, key) ? key : null;
}

/** Refuses a call that would find nothing left in a daily pool: BUDGET_EXCEEDED, and when to come back. */
export async function checkPools({ accountId, key = null }: Caller, ledger: Ledger): Promise<void> {
  const shortage = await ledger.usedUp(accountId, key);
  if (shortage !== null) throw poolError(shortage, ledger.now());
}
