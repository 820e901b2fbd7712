import { randomBytes } from "node:crypto";
import { type Bell, Bells } from "./bells.ts";
import type { ExecutionState } from "./types.ts";

/** One change of one execution's status. */
export interface NewsItem {
  /** `<epoch>-<number>`: a reader that comes back names the last one it has. */
  readonly id: string;
  readonly executionId: string;
  readonly ref: string;
  readonly status: ExecutionState["status"];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Where a reader of the news goes on. */
export interface NewsReader {
  /** What came since the last call; `missed` when there was more than is kept, or its last id is of another time. */
  read(): { readonly items: readonly NewsItem[]; readonly missed: boolean; readonly last: string };
  /** Resolves when there may be something new, at the latest after `ms`. */
  rung(ms: number): Promise<void>;
  close(): void;
}

/** What the news say about an execution. */
export type Subject = Pick<NewsItem, "executionId" | "ref" | "status"> & { readonly accountId: string };

/** Items kept per account. */
const KEPT = 4_096;
/** How long they are kept after the last reader has left, ms. */
const KEPT_MS = 600_000;
const EPOCH_BYTES = 6;
const ID = /^([\w-]{8})-(\d{1,15})$/;

/** The newest changes of one account, from when someone first wanted to know. */
class Ring {
  readonly epoch = randomBytes(EPOCH_BYTES).toString("base64url");
  readonly #items: NewsItem[] = [];
  /** Number that the next item gets. */
  next = 1;
  readers = 0;
  /** Drops it a while after its last reader. */
  timer: NodeJS.Timeout | null = null;

  add({ executionId, ref, status }: Subject, at: number): void {
    this.#items.push({ id: `${this.epoch}-${this.next++}`, executionId, ref, status, at });
    // Half of them at a time, so that an item costs the same on average.
    if (this.#items.length >= 2 * KEPT) this.#items.splice(0, KEPT);
  }

  /** Number of the oldest item that is kept. */
  get first(): number {
    return this.next - this.#items.length;
  }

  since(number: number): readonly NewsItem[] {
    return this.#items.slice(Math.max(0, number - this.first));
  }
}

/** Changes of status by account; nothing is kept for accounts that nobody watches. */
export class News {
  readonly #rings = new Map<string, Ring>();
  readonly #bells = new Bells();

  /** True while no account is watched. */
  get isIdle(): boolean {
    return this.#rings.size === 0;
  }

  publish(subject: Subject): void {
    const ring = this.#rings.get(subject.accountId);
    if (ring === undefined) return;
    ring.add(subject, Date.now());
    this.#bells.ring(subject.accountId);
  }

  /** Follows an account: from what comes now on, or from after the item `lastId`. */
  follow(accountId: string, lastId: string | null): NewsReader {
    const ring = this.#enter(accountId);
    const bell = this.#bells.open(accountId);
    const [, epoch, number] = ID.exec(lastId ?? "") ?? [];
    let missed = lastId !== null && (epoch !== ring.epoch || Number(number) >= ring.next);
    let isOpen = true;
    let next = lastId === null || missed ? ring.next : Number(number) + 1;
    return {
      read() {
        const isBehind = next < ring.first;
        const answer = { items: ring.since(next), missed: missed || isBehind, last: `${ring.epoch}-${ring.next - 1}` };
        missed = false;
        next = ring.next;
        return answer;
      },
      rung: (ms) => bell.rung(ms),
      close: () => {
        if (isOpen) this.#leave(accountId, ring, bell);
        isOpen = false;
      },
    };
  }

  #enter(accountId: string): Ring {
    const ring = this.#rings.get(accountId) ?? new Ring();
    this.#rings.set(accountId, ring);
    ring.readers++;
    if (ring.timer !== null) clearTimeout(ring.timer);
    ring.timer = null;
    return ring;
  }

  #leave(accountId: string, ring: Ring, bell: Bell): void {
    bell.close();
    ring.readers--;
    if (ring.readers === 0) ring.timer = setTimeout(() => this.#rings.delete(accountId), KEPT_MS).unref();
  }
}
