import type { Amounts, Balance, TopUpTarget } from "../../store/store.ts";

/** A daily pool and where it stands today; `key: null` = the whole account's. */
export interface ShownPool {
  readonly key: string | null;
  readonly balance: Balance;
}

/** Limits of spending: of executions, and of days. Amounts are in billionths of a US dollar, tokens and calls. */
export interface BudgetService {
  /** Where the own limits of an execution stand; null when it has none. */
  balance(params: { readonly accountId: string; readonly executionId: string }): Promise<Balance | null>;
  /** Raises limits and lets those go on that waited for it; of a pool for today only. Durable, and once per idempotency key. EXECUTION_NOT_FOUND, INVALID_REQUEST, CONFLICT. */
  topUp(params: {
    readonly accountId: string;
    readonly target: TopUpTarget;
    readonly add: Amounts;
    readonly idempotencyKey: string | null;
  }): Promise<{ readonly repeated: boolean }>;
  /** The daily pools of an account, its own first. */
  pools(accountId: string): Promise<readonly ShownPool[]>;
  /** Sets pools from now on; null limits remove one. INVALID_REQUEST for a name that no key has. */
  putPools(params: {
    readonly accountId: string;
    readonly pools: readonly { readonly key: string | null; readonly limits: Amounts | null }[];
  }): Promise<void>;
}
