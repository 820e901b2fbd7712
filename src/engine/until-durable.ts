import type { Parts } from "./parts.ts";
import type { Execution } from "./types.ts";

/** Ends older than this have reached the disk, ms. */
const RECENT_MS = 10_000;

/** Resolves when the end of an execution is durable and may be told: a write that comes after it resolves after it. */
export async function untilDurable(
  { state }: Pick<Execution, "state">,
  { store, keeper }: Pick<Parts, "store" | "keeper">,
): Promise<void> {
  const isRecent = "finishedAt" in state && Date.now() - state.finishedAt < RECENT_MS;
  if (isRecent) await store.renew({ worker: keeper.worker, leases: [], leaseMs: keeper.leaseMs, now: Date.now() });
}
