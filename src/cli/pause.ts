import { setTimeout as wait } from "node:timers/promises";
import { stop } from "./exit.ts";

/** Waits `ms` milliseconds; throws the `interrupted` exit as soon as `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch {
    throw stop("interrupted", "Stopped.");
  }
}
