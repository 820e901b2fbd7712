import { fail } from "../../runtime/index.ts";
import type { Store } from "../store/store.ts";

/** Bounds the executions of each account that wait in the queue. */
export interface JobLimit {
  /** Counts one more; RATE_LIMITED when the account has as many as it may. */
  add(accountId: string): Promise<void>;
}

/** Seconds that a refused caller is told to wait. */
const RETRY_AFTER_S = 10;

/** Makes the limit. The store is asked only when the bound kept here, which never falls by itself, reaches the limit. */
export function createJobLimit(store: Pick<Store, "countExecutions">, maxJobs: number): JobLimit {
  const bounds = new Map<string, number>();
  return {
    async add(accountId) {
      const before = bounds.get(accountId);
      let bound = before ?? maxJobs;
      if (bound >= maxJobs) {
        const waiting = await store.countExecutions({ accountId, status: "queued" });
        // Others may have asked in the same moment, and are not in the store yet.
        const theirs = bounds.get(accountId);
        bound = theirs === undefined || theirs === before ? waiting : Math.max(theirs, waiting);
      }
      if (bound >= maxJobs) {
        const message = `${bound} executions of this account wait in the queue, as many as may (WEFT_MAX_JOBS ${maxJobs}); try again shortly.`;
        throw fail("RATE_LIMITED", { message, retry_after: RETRY_AFTER_S, limit: "maxJobs", value: maxJobs });
      }
      bounds.set(accountId, bound + 1);
    },
  };
}
