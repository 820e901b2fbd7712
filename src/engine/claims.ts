import type { Execution, Store } from "../store/store.ts";
import { NESTED_PRIORITY } from "./priority.ts";

/** Takes executions that wait in the store: queued, due, or interrupted. */
export interface Claims {
  /** Looks for work soon; cheap when called often. */
  wake(): void;
  /** A place became free: looks for work if some was left over. */
  freed(): void;
  /** Something will be due at a time (ms since the epoch). */
  due(at: number): void;
  close(): void;
}

/** What claiming needs. */
export interface ClaimOptions {
  readonly store: Pick<Store, "claim" | "nextDue">;
  readonly worker: string;
  readonly leaseMs: number;
  /** Places free now. */
  free(): number;
  /** Renews the leases of this process if that is overdue. */
  catchUp(): void;
  /** Runs a claimed execution; must not throw. */
  accept(execution: Execution): void;
  readonly report: (error: unknown) => void;
}

const BATCH = 64;
const MAX_TIMER_MS = 2_147_483_647;
/** A store that fails is asked again after this, ms. */
const RETRY_MS = 1_000;
/** Fairness between accounts is the store's; a cap per account is not a setting yet. */
const PER_ACCOUNT = Number.MAX_SAFE_INTEGER;

class ClaimLoop implements Claims {
  readonly #options: ClaimOptions;
  #busy = false;
  #again = false;
  #leftOver = false;
  #closed = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: ClaimOptions) {
    this.#options = options;
  }

  wake(): void {
    this.#again = true;
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    // The loop takes what all callers of this turn have to offer.
    setImmediate(() => this.#run());
  }

  freed(): void {
    if (this.#leftOver) this.wake();
  }

  due(at: number): void {
    if (at >= this.#timerAt || this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.min(Math.max(at - Date.now(), 1), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.wake();
    }, delay);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        await this.#claim();
      }
      const next = this.#closed ? null : await this.#options.store.nextDue();
      if (next !== null) this.due(next);
    } catch (error) {
      this.#options.report(error);
      this.due(Date.now() + RETRY_MS);
    }
    this.#busy = false;
    if (this.#again) this.wake();
  }

  async #claim(): Promise<void> {
    const { store, worker, leaseMs, accept } = this.#options;
    const free = Math.min(this.#options.free(), BATCH);
    this.#leftOver = free <= 0;
    this.#options.catchUp();
    // Nested ones need no place, and whoever has one may wait for them.
    const max = this.#leftOver ? BATCH : free;
    const minPriority = this.#leftOver ? NESTED_PRIORITY : null;
    const params = { worker, max, leaseMs, now: Date.now(), perAccount: PER_ACCOUNT, minPriority };
    const claimed = await store.claim(params);
    if (this.#closed) return;
    for (const execution of claimed) accept(execution);
    if (claimed.length === max) this.#again = true;
  }
}

/** Makes the claims of one engine; nothing is claimed before the first {@link Claims.wake}. */
export const createClaims = (options: ClaimOptions): Claims => new ClaimLoop(options);
