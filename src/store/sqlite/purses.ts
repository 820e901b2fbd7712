import type { Cost } from "../../../runtime/index.ts";
import type { Amounts, Balance, ExecutionBudget } from "../store.ts";
import type { Database } from "./database.ts";

/** One limit as stored. */
export interface Purse {
  readonly number: number;
  /** Id of its execution; null for a pool's. */
  readonly executionId: string | null;
  /** '' = the whole account's; null for an execution's. */
  readonly pool: string | null;
  readonly usd_limit: number | null;
  readonly tokens_limit: number | null;
  readonly calls_limit: number | null;
  readonly usd_spent: number;
  readonly tokens_spent: number;
  readonly calls_spent: number;
  readonly usd_reserved: number;
  readonly tokens_reserved: number;
  readonly calls_reserved: number;
}

/** An execution whose budget is asked for. */
export interface Owner {
  readonly number: number;
  readonly id: string;
  readonly accountId: string;
  readonly status: number;
  readonly budget: ExecutionBudget | null;
}

const DAY_MS = 86_400_000;
/** Days that the purses of pools are kept. */
const KEPT_DAYS = 35;

const OWNER = `SELECT e.number, e.id, e.account_id AS accountId, e.status, r.budget FROM executions e
  JOIN requests r ON r.number = e.number WHERE e.id = ? AND e.account_id = ?`;
const OF_EXECUTION = "SELECT *, NULL AS executionId FROM purses WHERE execution = ?";
const OF_POOL = "SELECT *, NULL AS executionId FROM purses WHERE account_id = ? AND pool = ? AND day = ?";
const ADD = `INSERT INTO purses (account_id, execution, pool, day, usd_limit, tokens_limit, calls_limit)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
const POOL = "SELECT usd AS nanoUsd, tokens, calls FROM pools WHERE account_id = ? AND pool = ?";
const PRUNE = `DELETE FROM purses WHERE account_id = ? AND pool = ? AND day < ?
  AND usd_reserved = 0 AND tokens_reserved = 0 AND calls_reserved = 0`;

/** The day of a time, and the time of a day's begin: days since the epoch, UTC. */
export const dayOf = (now: number): number => Math.floor(now / DAY_MS);
export const nextDayAt = (now: number): number => (dayOf(now) + 1) * DAY_MS;

/** How a pool is named in the tables. */
export const poolName = (key: string | null): string => key ?? "";

/** An execution of the account, with its budget; null when there is none. */
export function ownerOf(db: Database, accountId: string, executionId: string): Owner | null {
  const row = db.get<Omit<Owner, "budget"> & { readonly budget: string | null }>(OWNER, executionId, accountId);
  if (row === undefined) return null;
  return { ...row, budget: row.budget === null ? null : (JSON.parse(row.budget) as ExecutionBudget) };
}

/** The purse of an execution's own limits, made when it is first asked for; null when it has none. */
export function executionPurse(db: Database, { number, id, accountId, budget }: Owner): Purse | null {
  const limits = budget?.limits ?? null;
  if (limits === null) return null;
  const found = db.get<Purse>(OF_EXECUTION, number);
  if (found !== undefined) return { ...found, executionId: id };
  db.run(ADD, accountId, number, null, null, limits.nanoUsd, limits.tokens, limits.calls);
  const made = db.get<Purse>(OF_EXECUTION, number);
  return made === undefined ? null : { ...made, executionId: id };
}

/** Today's purse of a pool, made when it is first asked for; null when there is no such pool. */
export function poolPurse(db: Database, accountId: string, key: string | null, now: number): Purse | null {
  const pool = poolName(key);
  const limits = db.get<Amounts>(POOL, accountId, pool);
  if (limits === undefined) return null;
  const day = dayOf(now);
  const found = db.get<Purse>(OF_POOL, accountId, pool, day);
  if (found !== undefined) return found;
  db.run(PRUNE, accountId, pool, day - KEPT_DAYS);
  db.run(ADD, accountId, null, pool, day, limits.nanoUsd, limits.tokens, limits.calls);
  return db.get<Purse>(OF_POOL, accountId, pool, day) ?? null;
}

/** All that a call of an execution must fit into: its own limits, those above it, the pools of its account and key. */
export function pursesOf(db: Database, owner: Owner, now: number): readonly Purse[] {
  const { accountId, budget } = owner;
  const above = (budget?.above ?? []).map((id) => ownerOf(db, accountId, id));
  const executions = [owner, ...above].map((each) => (each === null ? null : executionPurse(db, each)));
  const keys = budget === null || budget.key === null ? [null] : [null, budget.key];
  const pools = keys.map((key) => poolPurse(db, accountId, key, now));
  return [...executions, ...pools].filter((purse) => purse !== null);
}

/** What of a purse is a limit. */
export const limitsOf = (purse: Purse): Amounts => ({
  nanoUsd: purse.usd_limit,
  tokens: purse.tokens_limit,
  calls: purse.calls_limit,
});

/** What of a purse is spent. */
export const spentOf = (purse: Purse): Cost => ({
  nanoUsd: purse.usd_spent,
  tokens: purse.tokens_spent,
  calls: purse.calls_spent,
});

/** What of a purse is set aside. */
export const reservedOf = (purse: Purse): Cost => ({
  nanoUsd: purse.usd_reserved,
  tokens: purse.tokens_reserved,
  calls: purse.calls_reserved,
});

/** Where a purse stands. */
export const balanceOf = (purse: Purse): Balance => ({
  limits: limitsOf(purse),
  spent: spentOf(purse),
  reserved: reservedOf(purse),
});
