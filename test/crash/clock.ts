import { join } from "node:path";

/** Environment of a server whose clock is wrong by `fromMs`, and by `toMs` from `jumpAt` (ms since the epoch) on. */
export function wrongClock(clock: {
  readonly fromMs: number;
  readonly toMs: number;
  readonly jumpAt: number;
}): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import ${join(import.meta.dirname, "../support/clock.ts")}`,
    TEST_CLOCK_MS: String(clock.fromMs),
    TEST_CLOCK_THEN_MS: String(clock.toMs),
    TEST_CLOCK_JUMP_AT: String(clock.jumpAt),
  };
}
