import type { ExecutionJob } from "../execution.ts";

/** Longest delay of one timer. */
const MAX_TIMER_MS = 2_147_483_647;

/** When a job is stopped, ms since the epoch; null = never: a replay without the world takes its time. */
export const deadlineOf = ({ deadlineAt, offline }: ExecutionJob): number | null =>
  offline === true ? null : deadlineAt;

/** Calls `onDeadline` at a time (ms since the epoch), however far away; null = never. */
export function armDeadline(deadlineAt: number | null, onDeadline: () => void): { cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const arm = (at: number) => {
    const left = at - Date.now();
    timer = left > MAX_TIMER_MS ? setTimeout(() => arm(at), MAX_TIMER_MS) : setTimeout(onDeadline, Math.max(0, left));
  };
  if (deadlineAt !== null) arm(deadlineAt);
  return { cancel: () => clearTimeout(timer) };
}
