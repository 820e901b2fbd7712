import { expect, test } from "vitest";
import { MAX_ATTEMPTS, retryDelayMs } from "../../../src/engine/webhooks/backoff.ts";

const HOUR = 3_600_000;

test("waits grow from five seconds to four hours, for about a day in all", () => {
  const waits = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, i) => retryDelayMs(i + 1, null, () => 0.5));
  expect(waits.slice(0, 3)).toEqual([5_000, 20_000, 80_000]);
  expect(waits.at(-1)).toBe(4 * HOUR);
  const total = waits.reduce((sum, wait) => sum + wait, 0);
  expect(total).toBeGreaterThan(20 * HOUR);
  expect(total).toBeLessThan(30 * HOUR);
});

test("chance moves each by a fifth at most", () => {
  expect(retryDelayMs(1, null, () => 0)).toBe(4_000);
  expect(retryDelayMs(1, null, () => 1)).toBe(6_000);
});

test("a receiver may ask for more, up to a day, never for less", () => {
  expect(retryDelayMs(1, 60_000, () => 0.5)).toBe(60_000);
  expect(retryDelayMs(1, 1, () => 0.5)).toBe(5_000);
  expect(retryDelayMs(1, 1e15, () => 0.5)).toBe(24 * HOUR);
});
