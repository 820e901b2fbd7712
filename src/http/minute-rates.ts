const MINUTE_MS = 60_000;
/** Names that are kept before those that are full again are dropped. */
const MANY = 10_000;

/**
 * So many of something in a minute, by name: as many at once, and then evenly (the generic cell rate algorithm: per name
 * one time is kept, when it would be full again).
 */
export class MinuteRates {
  readonly #now: () => number;
  readonly #fullAt = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes one of `perMinute`; 0 when it was there, else the milliseconds until it will be, and nothing is taken. */
  take(name: string, perMinute: number): number {
    const now = this.#now();
    const step = MINUTE_MS / perMinute;
    // A clock that was set back must not lock anybody out.
    const fullAt = Math.min(Math.max(this.#fullAt.get(name) ?? now, now), now + MINUTE_MS);
    const waitMs = fullAt + step - now - MINUTE_MS;
    // Rounding must not take away the last one.
    if (waitMs > 1e-6) return waitMs;
    if (this.#fullAt.size >= MANY) this.#drop(now);
    this.#fullAt.set(name, fullAt + step);
    return 0;
  }

  #drop(now: number): void {
    for (const [name, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(name);
  }
}
