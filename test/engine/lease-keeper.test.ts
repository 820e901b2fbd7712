import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepLeases, type LeaseKeeper } from "../../src/engine/lease-keeper.ts";
import type { Parts } from "../../src/engine/parts.ts";

const LEASE_MS = 1_000;

interface FakeRun {
  readonly id: string;
  readonly phase: "running";
  readonly detached: boolean;
  readonly row: { readonly lease: object; leasedAt: number };
  stopping: unknown;
  leaseLost: boolean;
}

let run: FakeRun;
let answer: () => Promise<readonly string[]>;
let cancelled: string[];
let reported: unknown[];
let keeper: LeaseKeeper;

beforeEach(() => {
  vi.useFakeTimers();
  run = {
    id: "one",
    phase: "running",
    detached: false,
    row: { lease: {}, leasedAt: performance.now() },
    stopping: null,
    leaseLost: false,
  };
  cancelled = [];
  reported = [];
  answer = async () => ["ok"];
  keeper = keepLeases({
    keeper: { leaseMs: LEASE_MS, worker: "w" },
    live: { all: () => [run] },
    store: { renew: () => answer() },
    runtime: { cancel: (id: string) => cancelled.push(id) },
    report: (error: unknown) => reported.push(error),
  } as unknown as Parts);
});

afterEach(() => {
  keeper.close();
  vi.useRealTimers();
});

test("an execution whose lease is renewed goes on", async () => {
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect([run.leaseLost, cancelled]).toEqual([false, []]);
});

test("one whose lease could not be renewed for 0.8 of it is stopped before another may have it", async () => {
  await vi.advanceTimersByTimeAsync(LEASE_MS);
  answer = () => new Promise(() => undefined);
  const since = run.row.leasedAt;
  await vi.advanceTimersByTimeAsync(since + 0.8 * LEASE_MS - performance.now());
  expect(run.leaseLost).toBe(false);
  await vi.advanceTimersByTimeAsync(0.15 * LEASE_MS);
  expect(run.leaseLost).toBe(true);
  expect(cancelled[0]).toBe("one");
  expect(performance.now() - since).toBeLessThan(LEASE_MS);
});

test("a store that fails is the same as one that is silent", async () => {
  answer = () => Promise.reject(new Error("disk"));
  await vi.advanceTimersByTimeAsync(0.95 * LEASE_MS);
  expect(run.leaseLost).toBe(true);
  expect(reported).not.toEqual([]);
});

test("a process that stood still asks first", async () => {
  await vi.advanceTimersByTimeAsync(0.1 * LEASE_MS);
  const real = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => real() + 50 * LEASE_MS);
  await vi.advanceTimersByTimeAsync(0.5 * LEASE_MS);
  expect(run.leaseLost).toBe(false);
  vi.restoreAllMocks();
});
