interface OpenTicket {
  readonly executionId: string;
  /** The call, told apart within its execution. */
  readonly call: string;
  readonly purses: readonly number[];
}

/** Reservations whose calls this process makes, by the limits they are set aside in. */
export class LiveTickets {
  readonly #open = new Map<number, OpenTicket>();
  /** Open ones of each execution, by call. */
  readonly #ofExecution = new Map<string, Map<string, number>>();
  /** How many are open in each limit. */
  readonly #counts = new Map<number, number>();

  /** Adds one; a call that is repeated has taken the reservation over that an earlier attempt at it left. */
  add(ticket: number, opened: OpenTicket): void {
    const { executionId, call, purses } = opened;
    const earlier = this.#ofExecution.get(executionId)?.get(call);
    if (earlier !== undefined) this.take(earlier);
    this.#open.set(ticket, opened);
    const own = this.#ofExecution.get(executionId) ?? new Map<string, number>();
    this.#ofExecution.set(executionId, own.set(call, ticket));
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
    own?.delete(found.call);
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
    const tickets = [...(this.#ofExecution.get(executionId)?.values() ?? [])];
    return new Set(tickets.flatMap((ticket) => this.take(ticket)));
  }
}
