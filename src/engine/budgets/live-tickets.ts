interface OpenTicket {
  readonly executionId: string;
  readonly purses: readonly number[];
}

/** Reservations whose calls this process makes, by the limits they are set aside in. */
export class LiveTickets {
  readonly #open = new Map<number, OpenTicket>();
  /** Open ones of each execution. */
  readonly #ofExecution = new Map<string, Set<number>>();
  /** How many are open in each limit. */
  readonly #counts = new Map<number, number>();

  add(ticket: number, executionId: string, purses: readonly number[]): void {
    this.#open.set(ticket, { executionId, purses });
    const own = this.#ofExecution.get(executionId) ?? new Set();
    this.#ofExecution.set(executionId, own.add(ticket));
    for (const purse of purses) this.#counts.set(purse, (this.#counts.get(purse) ?? 0) + 1);
  }

  /** True while some call may release something of a limit. */
  isOpen(purse: number): boolean {
    return this.#counts.has(purse);
  }

  /** Takes one out; returns its limits. */
  take(ticket: number): readonly number[] {
    const found = this.#open.get(ticket);
    if (found === undefined) return [];
    this.#open.delete(ticket);
    const own = this.#ofExecution.get(found.executionId);
    own?.delete(ticket);
    if (own?.size === 0) this.#ofExecution.delete(found.executionId);
    for (const purse of found.purses) {
      const left = (this.#counts.get(purse) ?? 0) - 1;
      if (left > 0) this.#counts.set(purse, left);
      else this.#counts.delete(purse);
    }
    return found.purses;
  }

  /** Takes out all of an execution; returns their limits. */
  takeAll(executionId: string): ReadonlySet<number> {
    const tickets = [...(this.#ofExecution.get(executionId) ?? [])];
    return new Set(tickets.flatMap((ticket) => this.take(ticket)));
  }
}
