import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SHELF_MS, Shelves } from "../../runtime/worker/shelves.ts";
import { testScope } from "../capabilities/op-call.ts";
import { underWay } from "./under-way.ts";

const jobOf = (executionId: string, deadlineAt: number | null = null) => testScope({ executionId, deadlineAt }).job;

/** A call that waits for the next attempt of `executionId`. */
function shelved(shelves: Shelves, executionId: string, deadlineAt: number | null = null) {
  const job = jobOf(executionId, deadlineAt);
  const { call, request } = underWay();
  const shelf = shelves.take(job);
  shelf.add(call);
  expect(shelves.keep(job, shelf)).toBe(true);
  return { job, shelf, signal: request.signal };
}

describe("the shelves of a worker", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("give a shelf to the next attempt of its own execution only, which may take its time", () => {
    const shelves = new Shelves();
    const { job, shelf, signal } = shelved(shelves, "a");
    expect(shelves.take(jobOf("b"))).not.toBe(shelf);
    expect(shelves.take(job)).toBe(shelf);
    expect(shelves.take(job)).not.toBe(shelf);
    vi.advanceTimersByTime(10 * SHELF_MS);
    expect(signal.aborted).toBe(false);
  });

  it("abort calls that nobody asks for in time", () => {
    const { signal } = shelved(new Shelves(), "a");
    vi.advanceTimersByTime(SHELF_MS - 1);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
  });

  it("abort calls at the deadline of their execution", () => {
    const { signal } = shelved(new Shelves(), "a", Date.now() + 1_000);
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
  });

  it("abort the calls of an execution that is dropped, and all when they close", () => {
    const shelves = new Shelves();
    const [one, two, three] = ["a", "b", "c"].map((id) => shelved(shelves, id).signal);
    shelves.drop("b");
    shelves.drop("unknown");
    expect([one?.aborted, two?.aborted, three?.aborted]).toEqual([false, true, false]);
    shelves.close();
    expect([one?.aborted, two?.aborted, three?.aborted]).toEqual([true, true, true]);
  });

  it("keep no empty shelf", () => {
    const shelves = new Shelves();
    const shelf = shelves.take(jobOf("a"));
    expect(shelves.keep(jobOf("a"), shelf)).toBe(false);
    expect(shelves.take(jobOf("a"))).not.toBe(shelf);
  });
});
