import type { Cost } from "../../../runtime/index.ts";

/** The most that may be spent, in the units of {@link Cost}; null = no limit. */
export interface Amounts {
  readonly nanoUsd: number | null;
  readonly tokens: number | null;
  readonly calls: number | null;
}

/** What bounds one execution, written once; null for an execution that nothing bounds. */
export interface ExecutionBudget {
  /** Its own limits at the start; null = it has none of its own. */
  readonly limits: Amounts | null;
  /** Name of the API key whose daily pool pays; null = none. */
  readonly key: string | null;
  /** Ids of the executions above it that have limits, the nearest first. */
  readonly above: readonly string[];
  /** True when one of all these limits is in US dollars. */
  readonly usd: boolean;
}

/** Where a limit stands; in the units of {@link Cost}. */
export interface Balance {
  readonly limits: Amounts;
  readonly spent: Cost;
  /** Set aside for calls under way, or under way when a server died. */
  readonly reserved: Cost;
}

/** Why a call that costs cannot be made. */
export interface Shortage {
  readonly unit: keyof Cost;
  /** Whose limit it is: an execution's, or a daily pool's (`key: null` = of the whole account). */
  readonly of: { readonly executionId: string } | { readonly key: string | null };
  readonly limit: number;
  readonly spent: number;
  readonly reserved: number;
  /** The most that the call may cost. */
  readonly needed: number;
  /** When it goes on by itself, ms since the epoch; null = when more is given. */
  readonly until: number | null;
  /** Counts what was given in the account: a shortage of an older count may be over. */
  readonly revision: number;
}
