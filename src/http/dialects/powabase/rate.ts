import { fail } from "../../../../runtime/index.ts";
import { MinuteRates } from "../../minute-rates.ts";

/** Takes one execution of a caller, or refuses it. */
export interface ExecutionRate {
  take(accountId: string, key: string): void;
}

/** Bounds executions by minute and key; null = no bound. */
export function createExecutionRate(perMinute: number | null, now: () => number): ExecutionRate {
  const rates = new MinuteRates(now);
  return {
    take(accountId, key) {
      const waitMs = perMinute === null ? 0 : rates.take(`${accountId}\n${key}`, perMinute);
      if (waitMs === 0) return;
      const message = `Rate limit exceeded. Max ${perMinute} executions per minute.`;
      const limit = { limit: "WEFT_EXECUTIONS_PER_MINUTE", value: perMinute };
      throw fail("RATE_LIMITED", { message, ...limit, retry_after: waitMs / 1_000 });
    },
  };
}
