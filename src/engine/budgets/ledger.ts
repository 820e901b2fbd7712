import {
  type Cost,
  type Funds,
  fail,
  NO_COST,
  type Reservation,
  type Spending,
  type SpendRequest,
} from "../../../runtime/index.ts";
import type { Amounts, NewExecution, Reserved, Shortage, Store } from "../../store/store.ts";
import type { LiveRun } from "../live-run.ts";
import { Bells } from "./funds-bells.ts";
import { LiveTickets } from "./live-tickets.ts";
import { poolError } from "./shortage-error.ts";

/** Asks again after this long, ms, where money is set aside that a server took along when it died. */
const LOST_MS = 60_000;

/** What the ledger stands on. */
export interface LedgerOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

/** A call that waits for reservations of others to be released. */
interface Waiter {
  /** Null: a call outside executions. */
  readonly run: LiveRun | null;
  /** The call, told apart within its execution; null outside executions. */
  readonly call: string | null;
  readonly isCurrent: () => boolean;
  ask(): Promise<Reserved>;
  granted(ticket: number): void;
  refused(shortage: Shortage): void;
  failed(error: unknown): void;
}

/** Who pays for a call outside executions: an account, and the API keys of a name. */
export interface Payer {
  readonly accountId: string;
  readonly key: string | null;
}

/** Stands for the execution of calls outside any. */
const OUTSIDE = "";

const over = () => fail("CONFLICT", { message: "This attempt is over." });
const poolId = (accountId: string, key: string | null) => JSON.stringify([accountId, key]);

/**
 * The spending of all executions of this process. Amounts are in the store alone; here is who waits for what: calls that
 * would fit if others cost less than they may wait for that, in turn, and whatever else is refused is told to park.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #pools = new Map<string, Amounts>();
  readonly #tickets = new LiveTickets();
  /** Waiting calls by the limit that refused them. */
  readonly #queues = new Map<number, Waiter[]>();
  readonly #pumping = new Set<number>();
  readonly #bells = new Bells();
  /** Rises with every settlement. */
  #settled = 0;
  #closed = false;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Counts what an earlier process left reserved in pools as spent, and reads them; before the first call. */
  async open(): Promise<void> {
    await this.#options.store.settlePools();
    await this.load();
  }

  /** Reads the pools. */
  async load(): Promise<void> {
    const pools = await this.#options.store.listPools();
    this.#pools.clear();
    for (const { accountId, key, limits } of pools) this.#pools.set(poolId(accountId, key), limits);
  }

  /** The ledger's clock, ms since the epoch. */
  now(): number {
    return this.#options.now();
  }

  /** True when there is a daily pool: of the account, or of the keys of one name. */
  hasPool(accountId: string, key: string | null): boolean {
    return this.#pools.size > 0 && this.#pools.has(poolId(accountId, key));
  }

  /** What the calls of an execution must keep within; null = nothing, and they cost nothing here. */
  limitsOf({ accountId, budget }: NewExecution): { readonly usd: boolean } | null {
    const pools = this.#poolsOf({ accountId, key: budget?.key ?? null });
    if (budget === null && pools.length === 0) return null;
    return { usd: budget?.usd === true || pools.some(({ nanoUsd }) => nanoUsd !== null) };
  }

  /** What a call outside executions must keep within; null = nothing. What does not fit is BUDGET_EXCEEDED; what may fit later waits until its signal aborts. */
  spendingOf(payer: Payer, signal: AbortSignal): Spending | null {
    const pools = this.#poolsOf(payer);
    if (pools.length === 0) return null;
    return {
      usd: pools.some(({ nanoUsd }) => nanoUsd !== null),
      reserve: async (worst) => {
        const ticket = await this.#reserveInPools(payer, worst, signal);
        return { settle: (cost) => this.#settle(ticket, cost) };
      },
    };
  }

  /** A daily pool of which nothing is left for a call that has not begun; null when there is none. */
  async usedUp(accountId: string, key: string | null): Promise<Shortage | null> {
    const { store, now } = this.#options;
    for (const each of key === null ? [null] : [null, key]) {
      if (!this.hasPool(accountId, each)) continue;
      const at = now();
      const balance = await store.readPool({ accountId, key: each, now: at });
      if (balance === null) continue;
      const units = ["nanoUsd", "tokens", "calls"] as const;
      const unit = units.find(
        (one) => balance.limits[one] !== null && balance.spent[one] >= (balance.limits[one] ?? 0),
      );
      if (unit === undefined) continue;
      const [limit, spent, reserved] = [balance.limits[unit] ?? 0, balance.spent[unit], balance.reserved[unit]];
      return { unit, of: { key: each }, limit, spent, reserved, needed: 0, until: nextMidnight(at), revision: 0 };
    }
    return null;
  }

  /** Reserves for a call; a refusal is noted at the run as what it is short of. */
  async reserve(run: LiveRun, isCurrent: () => boolean, request: SpendRequest): Promise<Reservation> {
    const { store } = this.#options;
    const answer = Promise.withResolvers<Reservation>();
    run.spends = true;
    await this.#try({
      run,
      call: `${request.pos}.${request.slot}`,
      isCurrent,
      ask: async () => store.reserve({ lease: run.row.start(), request, now: this.now() }),
      granted: (ticket) => answer.resolve({ ticket }),
      refused(shortage) {
        run.lacks = shortage;
        answer.resolve({ ticket: null, until: shortage.until, since: shortage.revision });
      },
      failed: answer.reject,
    });
    return answer.promise;
  }

  /** From now on nothing is settled: calls that a stopping server gives up are made again, and take their reservations over. */
  close(): void {
    this.#closed = true;
  }

  /** Takes what a call cost. */
  settle(ticket: number, cost: Cost): void {
    if (!this.#closed) this.#settle(ticket, cost);
  }

  #settle(ticket: number, cost: Cost): void {
    const { store, report } = this.#options;
    store.settle({ ticket, cost }).catch(report);
    this.#release(this.#tickets.take(ticket));
  }

  /** Counts whatever an execution that ends still has reserved as spent: nobody will tell what it cost. */
  end(executionId: string): void {
    const { store, report } = this.#options;
    store.settleEnded({ executionId }).catch(report);
    this.#release(this.#tickets.takeAll(executionId));
  }

  /** Resolves when it may be worth to ask again. */
  funded(run: LiveRun, funds: Funds): Promise<void> {
    const { accountId } = run.call.execution;
    run.spends = true;
    return this.#bells.wait({ accountId, runId: run.id, now: this.#options.now() }, funds);
  }

  /** The attempt of a run is over: nobody waits for its calls any more. */
  leave(run: LiveRun): void {
    if (!run.spends) return;
    this.#bells.leave(run.call.execution.accountId, run.id);
    for (const [purse, queue] of this.#queues) {
      for (const waiter of queue) if (waiter.run === run) waiter.failed(over());
      const left = queue.filter((waiter) => waiter.run !== run);
      if (left.length === 0) this.#queues.delete(purse);
      else if (left.length < queue.length) this.#queues.set(purse, left);
    }
  }

  /** More was given in an account. */
  given(accountId: string, revision: number): void {
    this.#bells.ring(accountId, revision);
  }

  /** True when there may be enough by now. */
  isOver(accountId: string, { revision, until }: Pick<Shortage, "revision" | "until">): boolean {
    return this.#bells.isOver(accountId, { since: revision, until }, this.#options.now());
  }

  #poolsOf({ accountId, key }: Payer): readonly Amounts[] {
    if (this.#pools.size === 0) return [];
    const keys = key === null ? [null] : [null, key];
    return keys.flatMap((each) => this.#pools.get(poolId(accountId, each)) ?? []);
  }

  async #reserveInPools(payer: Payer, worst: Cost, signal: AbortSignal): Promise<number> {
    const { store } = this.#options;
    const answer = Promise.withResolvers<number>();
    const leave = () => answer.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await this.#try({
        run: null,
        call: null,
        isCurrent: () => !signal.aborted,
        ask: () => store.reservePools({ ...payer, worst, now: this.now() }),
        granted: answer.resolve,
        refused: (shortage) => answer.reject(poolError(shortage, this.now())),
        failed: answer.reject,
      });
      return await answer.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Asks the store for one waiter; it is answered, or queued where it may fit later. */
  async #try(waiter: Waiter): Promise<void> {
    for (;;) {
      const settled = this.#settled;
      const answer = await waiter.ask().catch((error: unknown) => {
        waiter.failed(error);
        return null;
      });
      if (answer === null) return;
      if (answer.ticket !== null) return this.#grant(waiter, answer);
      const { shortage, passing, purse } = answer;
      // Something was released while the answer was on its way.
      if (passing && settled !== this.#settled) continue;
      if (passing && this.#tickets.isOpen(purse) && waiter.isCurrent()) return this.#enqueue(purse, waiter);
      return waiter.refused(passing ? { ...shortage, until: this.#options.now() + LOST_MS } : shortage);
    }
  }

  #grant(waiter: Waiter, { ticket, purses }: { readonly ticket: number; readonly purses: readonly number[] }): void {
    this.#tickets.add(ticket, { executionId: waiter.run?.id ?? OUTSIDE, call: waiter.call ?? String(ticket), purses });
    // Nobody sends what was reserved for an attempt that is over.
    const isCurrent = waiter.isCurrent();
    if (isCurrent) waiter.granted(ticket);
    else waiter.failed(over());
    if (isCurrent) return;
    if (waiter.run === null) this.#settle(ticket, NO_COST);
    else this.settle(ticket, NO_COST);
  }

  #enqueue(purse: number, waiter: Waiter): void {
    const queue = this.#queues.get(purse) ?? [];
    queue.push(waiter);
    this.#queues.set(purse, queue);
  }

  #release(purses: Iterable<number>): void {
    this.#settled++;
    for (const purse of purses) this.#pump(purse).catch(this.#options.report);
  }

  /** Lets those that wait for a limit ask again, in turn, until one still does not fit. */
  async #pump(purse: number): Promise<void> {
    if (this.#pumping.has(purse)) return;
    this.#pumping.add(purse);
    try {
      for (;;) {
        const waiter = this.#queues.get(purse)?.shift();
        if (waiter === undefined) break;
        await this.#try(waiter);
        const queue = this.#queues.get(purse) ?? [];
        if (queue.at(-1) !== waiter) continue;
        // It keeps its turn.
        queue.pop();
        queue.unshift(waiter);
        if (this.#tickets.isOpen(purse)) break;
      }
    } finally {
      this.#pumping.delete(purse);
      if (this.#queues.get(purse)?.length === 0) this.#queues.delete(purse);
    }
  }
}

const DAY_MS = 86_400_000;

/** The next midnight, UTC; ms since the epoch. */
export const nextMidnight = (now: number): number => (Math.floor(now / DAY_MS) + 1) * DAY_MS;
