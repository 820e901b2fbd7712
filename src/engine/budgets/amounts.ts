import { type Cost, MAX_AMOUNT } from "../../../runtime/index.ts";
import type { Amounts } from "../../store/store.ts";

/** The members of a budget as people write it. */
export const AMOUNT_NAMES = ["usd", "tokens", "calls"] as const;

/** Amounts as people see them. */
export interface ShownAmounts {
  readonly usd: number | null;
  readonly tokens: number | null;
  readonly calls: number | null;
}

/** The most that can be said, in US dollars. */
export const MAX_USD = MAX_AMOUNT / 1e9;
const NANO = 1e9;

/** Makes the error of a member that cannot be used. */
export type RefuseAmount = (name: string, rule: string, value: unknown) => Error;

/** Billionths of a dollar; a smaller rest is left out. */
function toNano(usd: number): number {
  const nano = Math.round(usd * NANO);
  return nano / NANO > usd ? nano - 1 : nano;
}

function parseUsd(value: unknown, refuse: RefuseAmount): number {
  if (typeof value === "number" && value >= 0 && value <= MAX_USD) return toNano(value);
  throw refuse("usd", `a number from 0 to ${MAX_USD}`, value);
}

function parseCount(name: string, value: unknown, refuse: RefuseAmount): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= MAX_AMOUNT) return value;
  throw refuse(name, `a whole number from 0 to ${MAX_AMOUNT}`, value);
}

/** Reads `usd`, `tokens` and `calls`, each absent or null for no limit; null when none is given. */
export function parseAmounts(get: (name: string) => unknown, refuse: RefuseAmount): Amounts | null {
  const read = (name: string, parse: (value: unknown) => number): number | null => {
    const value = get(name) ?? null;
    return value === null ? null : parse(value);
  };
  const nanoUsd = read("usd", (value) => parseUsd(value, refuse));
  const tokens = read("tokens", (value) => parseCount("tokens", value, refuse));
  const calls = read("calls", (value) => parseCount("calls", value, refuse));
  return nanoUsd === null && tokens === null && calls === null ? null : Object.freeze({ nanoUsd, tokens, calls });
}

/** Amounts to add: what is not given adds nothing. */
export const toAddition = ({ nanoUsd, tokens, calls }: Amounts): Cost => ({
  nanoUsd: nanoUsd ?? 0,
  tokens: tokens ?? 0,
  calls: calls ?? 0,
});

/** Amounts as people see them. */
export const showAmounts = ({ nanoUsd, tokens, calls }: Amounts): ShownAmounts => ({
  usd: nanoUsd === null ? null : nanoUsd / NANO,
  tokens,
  calls,
});

const less = (a: number | null, b: number | null) => (a === null || b === null ? (a ?? b) : Math.min(a, b));

/** The stricter of two budgets, unit by unit; null = none. */
export function leastAmounts(a: Amounts | null, b: Amounts | null): Amounts | null {
  if (a === null || b === null) return a ?? b;
  return { nanoUsd: less(a.nanoUsd, b.nanoUsd), tokens: less(a.tokens, b.tokens), calls: less(a.calls, b.calls) };
}
