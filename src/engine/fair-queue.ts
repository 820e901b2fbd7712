/** Tickets of accounts: the account with the fewest running goes first, among equals in turn, within one in order of asking. */
export class FairQueue<T extends { readonly accountId: string }> {
  readonly #waiting = new Map<string, Set<T>>();
  readonly #running = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many of an account wait. */
  sizeOf(accountId: string): number {
    return this.#waiting.get(accountId)?.size ?? 0;
  }

  /** True when others than this account wait or run. */
  hasOthers(accountId: string): boolean {
    const others = (map: ReadonlyMap<string, unknown>) => map.size > Number(map.has(accountId));
    return others(this.#waiting) || others(this.#running);
  }

  add(ticket: T): void {
    const own = this.#waiting.get(ticket.accountId);
    if (own === undefined) this.#waiting.set(ticket.accountId, new Set([ticket]));
    else own.add(ticket);
    this.#size++;
  }

  /** False when it does not wait. */
  remove(ticket: T): boolean {
    const own = this.#waiting.get(ticket.accountId);
    if (own === undefined || !own.delete(ticket)) return false;
    if (own.size === 0) this.#waiting.delete(ticket.accountId);
    this.#size--;
    return true;
  }

  /** Takes the next one out; null when nobody waits. */
  next(): T | null {
    let best: string | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const accountId of this.#waiting.keys()) {
      const running = this.#running.get(accountId) ?? 0;
      if (running >= least) continue;
      [best, least] = [accountId, running];
    }
    if (best === null) return null;
    const own = this.#waiting.get(best) ?? new Set<T>();
    const [ticket] = own;
    if (ticket === undefined) return null;
    this.remove(ticket);
    // To the end of the line of accounts.
    if (own.size > 0) {
      this.#waiting.delete(best);
      this.#waiting.set(best, own);
    }
    return ticket;
  }

  /** Counts one that runs. */
  began(accountId: string): void {
    this.#running.set(accountId, (this.#running.get(accountId) ?? 0) + 1);
  }

  /** Counts it out. */
  ended(accountId: string): void {
    const left = (this.#running.get(accountId) ?? 0) - 1;
    if (left > 0) this.#running.set(accountId, left);
    else this.#running.delete(accountId);
  }

  /** Takes all out. */
  drain(): readonly T[] {
    const all = [...this.#waiting.values()].flatMap((own) => [...own]);
    this.#waiting.clear();
    this.#size = 0;
    return all;
  }
}
