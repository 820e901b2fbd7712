import { fail } from "../../../../runtime/index.ts";

/** Takes one execution of a caller, or refuses it. */
export interface ExecutionRate {
  take(accountId: string, key: string): void;
}

const MINUTE_MS = 60_000;

/** Bounds executions by minute and key; null = no bound. */
export function createExecutionRate(perMinute: number | null, now: () => number): ExecutionRate {
  const times = new Map<string, number[]>();
  return {
    take(accountId, key) {
      if (perMinute === null) return;
      const name = `${accountId}\n${key}`;
      const at = now();
      const recent = (times.get(name) ?? []).filter((time) => time > at - MINUTE_MS);
      const [oldest = at] = recent;
      if (recent.length >= perMinute) {
        const message = `Rate limit exceeded. Max ${perMinute} executions per minute.`;
        const after = (oldest + MINUTE_MS - at) / 1_000;
        throw fail("RATE_LIMITED", {
          message,
          limit: "WEFT_EXECUTIONS_PER_MINUTE",
          value: perMinute,
          retry_after: after,
        });
      }
      times.set(name, [...recent, at]);
    },
  };
}
