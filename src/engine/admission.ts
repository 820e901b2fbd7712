import { fail } from "../../runtime/index.ts";

/** Places for executions called from outside; nested ones take none, so that parents never wait for their children's places. */
export interface Admission {
  /** Takes a place at once or, in order of asking, when one is free; OVERLOADED when too many wait. Calls `go` with the place taken. */
  enter(ticket: Ticket): void;
  /** Gives a waiting ticket up; false when it does not wait. */
  leave(ticket: Ticket): boolean;
  /** Counts a call that waits in memory for something else than a place among those that wait; false when too many do. */
  follow(): boolean;
  /** What a call is told when too many wait: OVERLOADED. */
  refusal(): Error;
  /** Ends such a wait. */
  unfollow(): void;
  /** Takes `count` places without waiting, for executions that are already leased. */
  take(count: number): void;
  /** Gives a place back. */
  release(): void;
  /** Places for executions that wait in the store. */
  free(): number;
  /** Gives up all who wait and returns them. */
  drain(): readonly Ticket[];
}

/** One that wants a place. */
export interface Ticket {
  go(): void;
}

/** Seconds that a refused caller is told to wait. */
const RETRY_AFTER_S = 1;

/** After so many places given to those who wait in memory, one goes to the store's: for a moment one more runs. */
const STORED_EVERY = 8;

/** Makes the admission of one engine; `onFree` is called when a place became free that nobody in memory gets. */
export function createAdmission(
  settings: { readonly maxConcurrent: number; readonly maxQueued: number },
  onFree: () => void,
): Admission {
  const { maxConcurrent, maxQueued } = settings;
  const waiting = new Set<Ticket>();
  let taken = 0;
  let followers = 0;
  let releases = 0;
  let owed = false;

  const refusal = () => {
    const message = `The server runs ${maxConcurrent} executions (WEFT_MAX_CONCURRENT) and ${maxQueued} wait (WEFT_MAX_QUEUED); try again shortly.`;
    return fail("OVERLOADED", { message, retry_after: RETRY_AFTER_S, limit: "maxQueued", value: maxQueued });
  };

  return {
    refusal,
    enter(ticket) {
      if (taken < maxConcurrent) {
        taken++;
        ticket.go();
      } else if (waiting.size + followers < maxQueued) {
        waiting.add(ticket);
      } else {
        throw refusal();
      }
    },
    leave: (ticket) => waiting.delete(ticket),
    follow() {
      if (waiting.size + followers >= maxQueued) return false;
      followers++;
      return true;
    },
    unfollow() {
      followers--;
    },
    take(count) {
      taken += count;
      owed = false;
    },
    release() {
      const [next] = taken <= maxConcurrent ? waiting : [];
      if (next === undefined) {
        taken--;
        onFree();
      } else {
        waiting.delete(next);
        next.go();
        owed ||= ++releases % STORED_EVERY === 0;
        if (owed) onFree();
      }
    },
    free: () => (waiting.size > 0 ? Number(owed) : Math.max(0, maxConcurrent - taken)),
    drain() {
      const tickets = [...waiting];
      waiting.clear();
      return tickets;
    },
  };
}
