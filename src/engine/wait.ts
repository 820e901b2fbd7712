import type { ErrorRecord } from "../../runtime/index.ts";
import type { LiveRun } from "./live-run.ts";
import { timeoutError } from "./stopping.ts";

/** Longest wait that a timer can measure, ms. */
const MAX_TIMER_MS = 2_147_483_647;

/** Lets a run that waits to begin be given up by its callers or at its deadline; the wait ends when it begins. */
export function waitToBegin(run: LiveRun, onGiveUp: (error: ErrorRecord) => void): void {
  const left = (run.deadlineAt ?? Number.POSITIVE_INFINITY) - Date.now();
  const timer =
    left > MAX_TIMER_MS ? undefined : setTimeout(() => run.giveUp?.(timeoutError(run)), Math.max(0, left)).unref();
  run.endWait = () => clearTimeout(timer);
  run.giveUp = (error) => {
    run.stopWaiting();
    onGiveUp(error);
  };
}
