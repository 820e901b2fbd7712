import type { Parts } from "./parts.ts";

/** Keys taken per transaction: keeps one turn of the event loop short. */
const PORTION = 200;
/** Sweeps per life of a key, and the bounds of the time between two of them, ms. */
const SWEEPS = 24;
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 3_600_000;

/** Takes idempotency keys away once they are too old, now and from time to time. */
export function expireKeys({ store, settings, report, isOpen }: Parts): { close(): void } {
  const { idempotencyTtlMs } = settings;
  const sweep = async () => {
    while (isOpen()) {
      const taken = await store.expireKeys({ since: Date.now() - idempotencyTtlMs, max: PORTION });
      if (taken < PORTION) return;
    }
  };
  const run = () => void sweep().catch((error: unknown) => isOpen() && report(error));
  const timer = setInterval(run, Math.min(Math.max(idempotencyTtlMs / SWEEPS, MIN_PAUSE_MS), MAX_PAUSE_MS));
  run();
  return { close: () => clearInterval(timer) };
}
