import type { Lease } from "../store/store.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { cancelled, stopRun } from "./stopping.ts";

interface Held {
  readonly run: LiveRun;
  readonly lease: Lease;
}

function heldBy({ live }: Parts): readonly Held[] {
  const held: Held[] = [];
  for (const run of live.all()) {
    const { lease } = run.row;
    if (run.phase === "running" && lease !== null) held.push({ run, lease });
  }
  return held;
}

/** Renews the leases of `held` in one batch and obeys what the store says about them. */
export async function renewLeases(held: readonly Held[], parts: Parts): Promise<void> {
  if (held.length === 0) return;
  const { store, keeper } = parts;
  const leases = held.map(({ lease }) => lease);
  const answers = await store.renew({ worker: keeper.worker, leases, leaseMs: keeper.leaseMs, now: Date.now() });
  for (const [index, { run }] of held.entries()) {
    const answer = answers[index];
    if (answer === "ok" || run.phase !== "running") continue;
    if (answer === "lost") run.leaseLost = true;
    stopRun(run, cancelled(), parts);
  }
}

/** Keeps the leases of all running executions. */
export interface LeaseKeeper {
  /** Renews now if the machine stood still for most of a lease, so that this process does not take its own executions for lost. */
  catchUp(): void;
  close(): void;
}

/** Part of a lease after which a renewal is late. */
const LATE = 0.6;

/** Starts to renew leases, three times per lease. */
export function keepLeases(parts: Parts): LeaseKeeper {
  const { leaseMs } = parts.keeper;
  let renewedAt = Date.now();
  const renew = () => {
    renewedAt = Date.now();
    renewLeases(heldBy(parts), parts).catch(parts.report);
  };
  const timer = setInterval(renew, leaseMs / 3);
  return {
    catchUp() {
      if (Date.now() - renewedAt > leaseMs * LATE) renew();
    },
    close: () => clearInterval(timer),
  };
}
