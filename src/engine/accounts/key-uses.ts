import type { Store } from "../../store/store.ts";

/** How exact the time of a key's last use is, and how often it is written. */
const STEP_MS = 60_000;

/** Last uses of keys: noted in memory by every request, written to the store now and then. */
export class KeyUses {
  readonly #store: Pick<Store, "noteKeyUses">;
  readonly #report: (error: unknown) => void;
  #uses = new Map<string, number>();
  #writtenAt = 0;

  constructor(store: Pick<Store, "noteKeyUses">, report: (error: unknown) => void) {
    this.#store = store;
    this.#report = report;
  }

  /** Notes a use at `now`; most calls set one entry of a map. */
  note(keyId: string, now: number): void {
    this.#uses.set(keyId, now);
    // A clock that was set back must not keep the uses in memory.
    if (Math.abs(now - this.#writtenAt) < STEP_MS) return;
    this.#writtenAt = now;
    this.flush().catch(this.#report);
  }

  /** The last use that is not written yet; null when there is none. */
  pending(keyId: string): number | null {
    return this.#uses.get(keyId) ?? null;
  }

  async flush(): Promise<void> {
    if (this.#uses.size === 0) return;
    const uses = this.#uses;
    this.#uses = new Map();
    await this.#store.noteKeyUses({ uses });
  }
}
