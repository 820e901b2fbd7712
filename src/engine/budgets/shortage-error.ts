import { type Cost, type ErrorRecord, fail, toRecord } from "../../../runtime/index.ts";
import type { Shortage } from "../../store/store.ts";
import { showAmounts } from "./amounts.ts";

const NAMES = { nanoUsd: "usd", tokens: "tokens", calls: "calls" } as const satisfies Record<keyof Cost, string>;
const WORDS = { nanoUsd: "USD", tokens: "tokens", calls: "calls" } as const satisfies Record<keyof Cost, string>;

/** A shortage in the units that people see. */
export interface ShownShortage {
  /** `budget.usd`, `budget.tokens` or `budget.calls`. */
  readonly limit: string;
  /** Whose budget: the execution named by `execution_id`, the account's daily pool, or that of the keys named `key`. */
  readonly of: "run" | "account" | "key";
  readonly execution_id?: string;
  readonly key?: string;
  readonly max: number;
  readonly spent: number;
  readonly reserved: number;
  /** The most that the call may cost. */
  readonly needed: number;
}

/** A shortage as people see it; execution ids are UUIDs. */
export function showShortage({ unit, of, limit, spent, reserved, needed }: Shortage): ShownShortage {
  const shown = (amount: number) =>
    showAmounts({ nanoUsd: null, tokens: null, calls: null, [unit]: amount })[NAMES[unit]] ?? 0;
  const amounts = { max: shown(limit), spent: shown(spent), reserved: shown(reserved), needed: shown(needed) };
  const name = `budget.${NAMES[unit]}`;
  if ("executionId" in of) return { limit: name, of: "run", execution_id: of.executionId, ...amounts };
  return of.key === null
    ? { limit: name, of: "account", ...amounts }
    : { limit: name, of: "key", key: of.key, ...amounts };
}

const OWNERS = {
  run: "its budget",
  account: "the account's pool of the day",
  key: "the API key's pool of the day",
} as const;

function lackText({ unit }: Shortage, { max, spent, reserved, needed, of }: ShownShortage): string {
  return `the next call may cost ${needed} ${WORDS[unit]}, but of ${max} in ${OWNERS[of]} ${spent} are spent and ${reserved} reserved`;
}

/** What the caller of an execution is told that waits for money: BUDGET_EXCEEDED with all that a top-up needs to know. */
export function shortageError(shortage: Shortage, executionId: string): ErrorRecord {
  const shown = showShortage(shortage);
  const message = `budget: ${lackText(shortage, shown)} (${shown.limit}). The execution waits; add to the budget and it goes on without paying anything twice.`;
  return toRecord(fail("BUDGET_EXCEEDED", { message, ...shown, waiting: executionId }));
}

/** The error of a call that a daily pool refuses before it begins, and when to come back. */
export function poolError(shortage: Shortage, now: number): Error {
  const shown = showShortage(shortage);
  const { of, spent, max, limit, needed } = shown;
  const what =
    needed === 0 ? `${OWNERS[of]} is used up: ${spent} of ${max} ${WORDS[shortage.unit]}` : lackText(shortage, shown);
  const message = `budget: ${what} (${limit}); it begins anew at midnight UTC.`;
  const after = Math.max(1, Math.ceil(((shortage.until ?? now) - now) / 1_000));
  return fail("BUDGET_EXCEEDED", { message, ...shown, retry_after: after });
}
