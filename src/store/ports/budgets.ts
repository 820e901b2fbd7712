import type { Cost, SpendRequest } from "../../../runtime/index.ts";
import type { Lease } from "../rows.ts";
import type { Amounts, Balance, Shortage } from "./budget-rows.ts";

/** A refusal; `passing`: the call would fit if whatever is reserved now were released. */
export interface Refusal {
  readonly ticket: null;
  readonly shortage: Shortage;
  readonly passing: boolean;
  /** Number of the limit that refused. */
  readonly purse: number;
}

/** What was set aside, and the numbers of the limits that it is in; or why it was not. */
export type Reserved = { readonly ticket: number; readonly purses: readonly number[] } | Refusal;

/** A daily pool: one for the whole account (`key: null`) or for the keys of one name. */
export interface Pool {
  readonly accountId: string;
  readonly key: string | null;
  readonly limits: Amounts;
}

/** Whose limits are raised. */
export type TopUpTarget = { readonly executionId: string } | { readonly key: string | null };

/** The one ledger of all that costs. Every amount is a whole number; a reservation is granted only where spent, reserved and asked for fit into every limit. */
export interface BudgetStore {
  /** Sets the most that a call may cost aside, in all limits of its execution, those above it and today's pools. Takes over what an earlier attempt of the same op left. CONFLICT when the fence is old. */
  reserve(params: { readonly lease: Lease; readonly request: SpendRequest; readonly now: number }): Promise<Reserved>;
  /** Sets the most that a call outside executions may cost aside, in today's pools of its account and of the keys of a name. */
  reservePools(params: {
    readonly accountId: string;
    readonly key: string | null;
    readonly worst: Cost;
    readonly now: number;
  }): Promise<Reserved>;
  /** Turns a reservation into what the call cost; nothing happens when there is none of that ticket. */
  settle(params: { readonly ticket: number; readonly cost: Cost }): Promise<void>;
  /** Counts whatever an execution that is over still has reserved as spent; `executionId: null` = of all that are over. */
  settleEnded(params: { readonly executionId: string | null }): Promise<void>;
  /** Counts whatever calls outside executions still have reserved as spent; for the start of a server. */
  settlePools(): Promise<void>;
  /** Where the own limits of an execution stand; null when it has none. */
  readBalance(params: { readonly accountId: string; readonly executionId: string }): Promise<Balance | null>;
  /** Raises limits, of a pool for today only, and notes that those that wait for it are to be woken; once per idempotency key. EXECUTION_NOT_FOUND, INVALID_REQUEST (nothing to add to), CONFLICT (it is over; the key was used for something else). */
  topUp(params: {
    readonly accountId: string;
    readonly target: TopUpTarget;
    readonly add: Cost;
    readonly idempotencyKey: string | null;
    readonly now: number;
  }): Promise<{ readonly revision: number; readonly repeated: boolean }>;
  /** Every pool of every account. */
  listPools(): Promise<readonly Pool[]>;
  /** Sets pools, from now on and for today; null limits remove one. Notes that those that wait for it are to be woken. */
  putPools(params: {
    readonly accountId: string;
    readonly pools: readonly { readonly key: string | null; readonly limits: Amounts | null }[];
    readonly now: number;
  }): Promise<{ readonly revision: number }>;
  /** Makes some of those that wait for what was given claimable, at most `limit`; false when nobody was left to be told. */
  wakeFunded(params: { readonly limit: number; readonly now: number }): Promise<boolean>;
  /**
   * What a waiting execution lacks, as of all that was given so far; null when it lacks nothing. `pending`: some that
   * wait are yet to be told of what was given, perhaps this one too.
   */
  readShortage(params: {
    readonly accountId: string;
    readonly executionId: string;
  }): Promise<{ readonly shortage: Shortage; readonly pending: boolean } | null>;
  /** Where today's pool stands; null when there is none. */
  readPool(params: {
    readonly accountId: string;
    readonly key: string | null;
    readonly now: number;
  }): Promise<Balance | null>;
  /** Executions that nobody called and that have waited for money since before a time, without getting any since, oldest first. */
  listShort(params: {
    readonly workflowId: string;
    readonly before: number;
    readonly limit: number;
  }): Promise<readonly { readonly id: string; readonly accountId: string }[]>;
}
