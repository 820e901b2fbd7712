import { type Funds, fail } from "../../../runtime/index.ts";

/** Longest wait that a timer can measure, ms. */
const MAX_TIMER_MS = 2_147_483_647;

interface Listener {
  readonly runId: string;
  readonly heard: PromiseWithResolvers<void>;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Who waits, and since when. */
export interface Waiting {
  readonly accountId: string;
  readonly runId: string;
  readonly now: number;
}

/** Tells running executions that more was given in their account. */
export class Bells {
  readonly #revisions = new Map<string, number>();
  /** By account, then by run. */
  readonly #listeners = new Map<string, Map<string, Set<Listener>>>();

  /** True when more was given since, or the time has come. */
  isOver(accountId: string, { since, until }: Funds, now: number): boolean {
    return (this.#revisions.get(accountId) ?? 0) > since || (until !== null && until <= now);
  }

  /** Resolves when more is given or the time has come; CONFLICT when the run's attempt ends before. */
  wait({ accountId, runId, now }: Waiting, funds: Funds): Promise<void> {
    if (this.isOver(accountId, funds, now)) return Promise.resolve();
    const heard = Promise.withResolvers<void>();
    const { until } = funds;
    // One that wakes too early asks again.
    const ring = () => this.#tell(accountId, listener);
    const timer = until === null ? undefined : setTimeout(ring, Math.min(until - now, MAX_TIMER_MS)).unref();
    const listener: Listener = { runId, heard, timer };
    const runs = this.#listeners.get(accountId) ?? new Map<string, Set<Listener>>();
    this.#listeners.set(accountId, runs);
    runs.set(runId, (runs.get(runId) ?? new Set()).add(listener));
    return heard.promise;
  }

  ring(accountId: string, revision: number): void {
    this.#revisions.set(accountId, Math.max(revision, this.#revisions.get(accountId) ?? 0));
    const runs = [...(this.#listeners.get(accountId)?.values() ?? [])];
    for (const listener of runs.flatMap((all) => [...all])) this.#tell(accountId, listener);
  }

  /** Ends the waits of one run. */
  leave(accountId: string, runId: string): void {
    for (const listener of [...(this.#listeners.get(accountId)?.get(runId) ?? [])]) {
      listener.heard.reject(fail("CONFLICT", { message: "This attempt is over." }));
      this.#tell(accountId, listener);
    }
  }

  #tell(accountId: string, listener: Listener): void {
    clearTimeout(listener.timer);
    listener.heard.resolve();
    const runs = this.#listeners.get(accountId);
    const own = runs?.get(listener.runId);
    own?.delete(listener);
    if (own?.size === 0) runs?.delete(listener.runId);
    if (runs?.size === 0) this.#listeners.delete(accountId);
  }
}
