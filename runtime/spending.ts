/** What a call costs, or may cost at the most. Whole numbers that are not negative. */
export interface Cost {
  /** Billionths of a US dollar. */
  readonly nanoUsd: number;
  /** Prompt and completion together. */
  readonly tokens: number;
  /** Calls sent upstream. */
  readonly calls: number;
}

/** What was reserved for one call; the first settlement counts. */
export interface Ticket {
  settle(actual: Cost): void;
}

/** What an execution that has a budget asks of its calls that cost something. */
export interface Spending {
  /** True when a budget is in US dollars: what has no price cannot be kept within it. */
  readonly usd: boolean;
  /** Sets the most that a call may cost aside before it is sent; until there is enough, the execution waits without an isolate. */
  reserve(worst: Cost): Promise<Ticket>;
}

/** What a call waits for that was refused: more being given than was at `since`, or a time (ms since the epoch; null = none). */
export interface Funds {
  readonly since: number;
  readonly until: number | null;
}

/** The answer of whoever keeps the ledger: what was reserved, or what to wait for before asking again. */
export type Reservation = { readonly ticket: number } | ({ readonly ticket: null } & Funds);

/** What the keeper of the ledger is asked. */
export interface SpendRequest {
  /** Op position. */
  readonly pos: number;
  /** Tells reservations of the same op apart that are open at the same time, from 0. */
  readonly slot: number;
  readonly worst: Cost;
}

/** Costs nothing. */
export const NO_COST: Cost = Object.freeze({ nanoUsd: 0, tokens: 0, calls: 0 });

/** Nothing costs more, in any unit; a million dollars in billionths. */
export const MAX_AMOUNT = 1e15;

const NANO_PER_USD = 1e9;
const TOKENS_PER_PRICE = 1e6;

/** Up to a whole number that every ledger can hold: what cannot be counted is too much. */
function whole(amount: number): number {
  return amount >= 0 ? Math.min(Math.ceil(amount), MAX_AMOUNT) : amount < 0 ? 0 : MAX_AMOUNT;
}

/** The cost of one call by its tokens and prices (US dollars per million tokens); never below the truth. */
export function costOf(
  tokens: { readonly prompt: number; readonly completion: number },
  prices: { readonly promptPrice: number; readonly completionPrice: number },
): Cost {
  const { prompt, completion } = tokens;
  const usd = prompt * prices.promptPrice + completion * prices.completionPrice;
  return {
    nanoUsd: whole(usd * (NANO_PER_USD / TOKENS_PER_PRICE)),
    tokens: whole(prompt + completion),
    calls: 1,
  };
}
