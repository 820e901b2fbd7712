/** Attempts of one delivery, spread over about a day. */
export const MAX_ATTEMPTS = 12;

const BASE_MS = 5_000;
const FACTOR = 4;
const MAX_MS = 4 * 3_600_000;
/** What a receiver may ask for at most, ms. */
const MAX_ASKED_MS = 86_400_000;
/** Share of a wait that is left to chance, so that deliveries that failed together do not come back together. */
const JITTER = 0.2;

/** Wait after the `attempt`th attempt failed, ms: 5 s, 20 s, 80 s … 4 h, give or take a fifth; at least what the receiver asked for. */
export function retryDelayMs(attempt: number, askedMs: number | null, random: () => number = Math.random): number {
  const full = Math.min(MAX_MS, BASE_MS * FACTOR ** (attempt - 1));
  const own = Math.round(full * (1 - JITTER + 2 * JITTER * random()));
  return Math.max(own, Math.min(askedMs ?? 0, MAX_ASKED_MS));
}
