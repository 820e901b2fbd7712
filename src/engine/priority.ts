import type { NewExecution } from "../store/store.ts";

/** Priority of nested executions: they are claimed before others, because a running one waits for them. */
export const NESTED_PRIORITY = 1_000;
/** Least and greatest priority that a caller may ask for. */
export const MAX_PRIORITY = 100;
export const MIN_PRIORITY = -100;
/** Whoever waits for the answer goes before every background call. */
const WAITING_BONUS = 500;

/** The priority of a call that goes through the store's queue although its caller waits. */
export const waitingPriority = (priority: number): number => priority + WAITING_BONUS;

/** The priority that the caller asked for. */
export function shownPriority({ priority }: Pick<NewExecution, "priority">): number {
  const isWaiting = priority > MAX_PRIORITY && priority < NESTED_PRIORITY;
  return isWaiting ? priority - WAITING_BONUS : priority;
}
