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
      const bound = bounds.get(accountId) ?? maxJobs;
      const waiting = bound < maxJobs ? bound : await store.countExecutions({ accountId, status: "queued" });
      if (waiting >= maxJobs) {
        const message = `${waiting} executions of this account wait in the queue, as many as may (WEFT_MAX_JOBS ${maxJobs}); try again shortly.`;
        throw fail("RATE_LIMITED", { message, retry_after: RETRY_AFTER_S, limit: "maxJobs", value: maxJobs });
      }
      bounds.set(accountId, Math.max(waiting, bounds.get(accountId) ?? 0) + 1);
    },
  };
}
