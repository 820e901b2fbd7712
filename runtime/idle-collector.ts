import { Session } from "node:inspector/promises";
import { getHeapStatistics } from "node:v8";

/** How often a thread looks whether it has anything to do, ms. */
const LOOK_MS = 2_500;
/** So many looks in a row must find it idle: after the start, whose garbage is the most. */
const QUIET_LOOKS = 3;
/** The same later on, five minutes: optimized code goes with the garbage, so the first second of what follows is slower by a quarter. */
const LATER_QUIET_LOOKS = 120;
/** It is idle while its event loop is busy for no more than this share of the time. */
const IDLE_SHARE = 0.02;
const MIB = 1024 * 1024;
/** Not worth it while the heap has grown by less than this since the last collection. */
const MIN_GROWTH_BYTES = 8 * MIB;
/** A collection takes about 3 ms per MiB that is in use: with more than this whoever calls next might wait for it. */
const MAX_USED_BYTES = 96 * MIB;

/** What the collector knows of its thread. */
export interface IdleThread {
  /** Share of the time since it was last asked in which the event loop was busy, 0 to 1. */
  busyShare(): number;
  heap(): { readonly totalBytes: number; readonly usedBytes: number };
  /** Collects all garbage and gives the pages back. */
  collect(): Promise<void>;
}

/** The thread that it is called on. */
export function thisThread(): IdleThread {
  let last = performance.eventLoopUtilization();
  return {
    busyShare() {
      const { utilization } = performance.eventLoopUtilization(last);
      last = performance.eventLoopUtilization();
      return utilization;
    },
    heap() {
      const { total_heap_size: totalBytes, used_heap_size: usedBytes } = getHeapStatistics();
      return { totalBytes, usedBytes };
    },
    async collect() {
      const session = new Session();
      session.connect();
      try {
        await session.post("HeapProfiler.collectGarbage");
      } finally {
        session.disconnect();
      }
    },
  };
}

/**
 * Gives the memory back that a thread used for a while and does not need, once it has nothing to do: starting leaves more
 * garbage than the started server is large, and an idle thread collects none by itself. Returns what ends it.
 */
export function collectWhenIdle(thread: IdleThread = thisThread()): () => void {
  let quiet = 0;
  let needed = QUIET_LOOKS;
  let left = 0;
  const collect = async () => {
    needed = LATER_QUIET_LOOKS;
    await thread.collect();
    left = thread.heap().totalBytes;
  };
  const look = () => {
    quiet = thread.busyShare() <= IDLE_SHARE ? quiet + 1 : 0;
    if (quiet !== needed) return;
    const { totalBytes, usedBytes } = thread.heap();
    // When it fails the thread goes on with the memory that it has.
    if (totalBytes >= left + MIN_GROWTH_BYTES && usedBytes <= MAX_USED_BYTES) collect().catch(() => undefined);
  };
  const timer = setInterval(look, LOOK_MS).unref();
  return () => clearInterval(timer);
}
