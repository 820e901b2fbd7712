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

/** Keeps the leases of all running executions; returns the function that stops it. */
export function keepLeases(parts: Parts): () => void {
  const timer = setInterval(() => renewLeases(heldBy(parts), parts).catch(parts.report), parts.keeper.leaseMs / 3);
  return () => clearInterval(timer);
}
