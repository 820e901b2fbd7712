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
  const sentAt = performance.now();
  const answers = await store.renew({ worker: keeper.worker, leases, leaseMs: keeper.leaseMs, now: Date.now() });
  for (const [index, { run }] of held.entries()) {
    const answer = answers[index];
    if (answer === "ok") run.row.leasedAt = sentAt;
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
/** Part of a lease after which its holder gives up: another may soon have the execution. */
const LOST = 0.8;
/** Looks at the age of leases, per lease. */
const LOOKS = 10;

/** Stops the executions whose leases could not be renewed for too long; the time since is measured, not told by a clock that may be set. */
function stopLost(parts: Parts): void {
  const since = performance.now() - parts.keeper.leaseMs * LOST;
  for (const { run } of heldBy(parts)) {
    if (run.row.leasedAt >= since) continue;
    run.leaseLost = true;
    stopRun(run, cancelled(), parts);
  }
}

/** Starts to renew leases, three times per lease, and to give up those that cannot be renewed. */
export function keepLeases(parts: Parts): LeaseKeeper {
  const { leaseMs } = parts.keeper;
  let renewedAt = Date.now();
  let lookedAt = performance.now();
  const renew = () => {
    renewedAt = Date.now();
    renewLeases(heldBy(parts), parts).catch(parts.report);
  };
  const look = () => {
    const isLate = performance.now() - lookedAt > (3 * leaseMs) / LOOKS;
    lookedAt = performance.now();
    // Whoever stood still asks before giving up: perhaps nobody has taken anything.
    if (isLate) renew();
    else stopLost(parts);
  };
  const timers = [setInterval(renew, leaseMs / 3), setInterval(look, leaseMs / LOOKS)];
  return {
    catchUp() {
      if (Date.now() - renewedAt > leaseMs * LATE) renew();
    },
    close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
