import type { Gates, NewExecution } from "../store/store.ts";
import { keyOf } from "./config/key-path.ts";
import type { Plan } from "./plans.ts";

/** True when calls whose callers wait go through the store's queue, because how many run or start is limited. */
export const isLimited = ({ config }: Plan): boolean => config.concurrency !== null || config.rateLimit !== null;

/** What a call passes on its way to the queue, as its script's config says; null = nothing. Nested calls pass none: their callers, which hold places already, could wait for each other for ever. */
export function gatesOf(execution: NewExecution, { config }: Plan): Gates | null {
  const { concurrency, rateLimit, debounce } = config;
  if (execution.parentId !== null) return null;
  const isDirect = execution.mode !== "background";
  // A call with a key of its own must lead to an execution of its own.
  const merged = isDirect || execution.idempotencyKey !== null ? null : debounce;
  if (concurrency === null && rateLimit === null && merged === null) return null;
  const data: unknown = JSON.parse(execution.data);
  const slot = concurrency === null ? null : { key: keyOf(concurrency.key, data), limit: concurrency.limit };
  const { limit = 0, periodMs = 0 } = rateLimit ?? {};
  const rate = rateLimit === null ? null : { key: keyOf(rateLimit.key, data), limit, periodMs };
  if (merged === null) return { slot, rate, debounce: null, isDirect };
  const { delayMs, maxWaitMs } = merged;
  return { slot, rate, debounce: { key: keyOf(merged.key, data), delayMs, maxWaitMs }, isDirect };
}
