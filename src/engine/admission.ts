import { fail } from "../../runtime/index.ts";
import { FairQueue } from "./fair-queue.ts";

/** Places for executions called from outside; nested ones take none, so that parents never wait for their children's places. */
export interface Admission {
  /**
   * Takes a place at once or when one is free, the account with the fewest running first; OVERLOADED when too many wait, or
   * too many of this account while others are there. Calls `go` with the place taken.
   */
  enter(ticket: Ticket): void;
  /** Gives a waiting ticket up; false when it does not wait. */
  leave(ticket: Ticket): boolean;
  /** Counts a call that waits in memory for something else than a place among those that wait; false when too many do. */
  follow(): boolean;
  /** What a call is told when too many wait: OVERLOADED. */
  refusal(): Error;
  /** Ends such a wait. */
  unfollow(): void;
  /** Takes a place without waiting, for an execution that is already leased. */
  take(accountId: string): void;
  /** Gives a place back. */
  release(accountId: string): void;
  /** Places for executions that wait in the store. */
  free(): number;
  /** Gives up all who wait and returns them. */
  drain(): readonly Ticket[];
}

/** One that wants a place. */
export interface Ticket {
  readonly accountId: string;
  go(): void;
}

/** Seconds that a refused caller is told to wait. */
const RETRY_AFTER_S = 1;

/** The part of the queue that one account may fill while others are there: they always find room. */
const MOST_OF_ONE = 0.75;

/** After so many places given to those who wait in memory, one goes to the store's: for a moment one more runs. */
const STORED_EVERY = 8;

/** Makes the admission of one engine; `onFree` is called when a place became free that nobody in memory gets. */
export function createAdmission(
  settings: { readonly maxConcurrent: number; readonly maxQueued: number },
  onFree: () => void,
): Admission {
  const { maxConcurrent, maxQueued } = settings;
  const waiting = new FairQueue<Ticket>();
  const mostOfOne = Math.ceil(maxQueued * MOST_OF_ONE);
  let taken = 0;
  let followers = 0;
  let releases = 0;
  let owed = false;

  const refusal = () => {
    const message = `The server runs ${maxConcurrent} executions (WEFT_MAX_CONCURRENT) and ${maxQueued} wait (WEFT_MAX_QUEUED); try again shortly.`;
    return fail("OVERLOADED", { message, retry_after: RETRY_AFTER_S, limit: "maxQueued", value: maxQueued });
  };

  const isFull = ({ accountId }: Ticket) =>
    waiting.size + followers >= maxQueued || (waiting.sizeOf(accountId) >= mostOfOne && waiting.hasOthers(accountId));

  return {
    refusal,
    enter(ticket) {
      if (taken < maxConcurrent) {
        taken++;
        waiting.began(ticket.accountId);
        ticket.go();
      } else if (isFull(ticket)) {
        throw refusal();
      } else {
        waiting.add(ticket);
      }
    },
    leave: (ticket) => waiting.remove(ticket),
    follow() {
      if (waiting.size + followers >= maxQueued) return false;
      followers++;
      return true;
    },
    unfollow() {
      followers--;
    },
    take(accountId) {
      taken++;
      waiting.began(accountId);
      owed = false;
    },
    release(accountId) {
      waiting.ended(accountId);
      const next = taken <= maxConcurrent ? waiting.next() : null;
      if (next === null) {
        taken--;
        onFree();
      } else {
        waiting.began(next.accountId);
        next.go();
        owed ||= ++releases % STORED_EVERY === 0;
        if (owed) onFree();
      }
    },
    free: () => (waiting.size > 0 ? Number(owed) : Math.max(0, maxConcurrent - taken)),
    drain: () => waiting.drain(),
  };
}
