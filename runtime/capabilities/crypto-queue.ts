/** Crypto ops of one worker at once: they fill the threads that its whole process shares with files and DNS. */
const MAX_AT_ONCE = 2;

type Start = () => void;

/** Lets `maxAtOnce` pieces of work run, never two of the same owner, and takes turns between the owners that wait. */
export class FairQueue {
  readonly #maxAtOnce: number;
  readonly #busy = new Set<object>();
  /** Owners in the order of their turns; none has an empty list. */
  readonly #waiting = new Map<object, Start[]>();

  constructor(maxAtOnce: number) {
    this.#maxAtOnce = maxAtOnce;
  }

  /** Runs `work` when its turn has come; rejects with the signal's reason, without running it, when that fires before. */
  async run<T>(owner: object, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      const starts = this.#waiting.get(owner) ?? [];
      starts.push(resolve);
      this.#waiting.set(owner, starts);
      this.#pump();
    });
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#busy.delete(owner);
      this.#toEnd(owner);
      this.#pump();
    }
  }

  /** Whoever had a turn waits behind all others. */
  #toEnd(owner: object): void {
    const starts = this.#waiting.get(owner);
    if (starts === undefined) return;
    this.#waiting.delete(owner);
    this.#waiting.set(owner, starts);
  }

  #pump(): void {
    for (const [owner, starts] of this.#waiting) {
      if (this.#busy.size >= this.#maxAtOnce) return;
      if (this.#busy.has(owner)) continue;
      this.#busy.add(owner);
      const start = starts.shift();
      if (starts.length === 0) this.#waiting.delete(owner);
      start?.();
    }
  }
}

/** The crypto ops of this worker. */
export const cryptoQueue = new FairQueue(MAX_AT_ONCE);
