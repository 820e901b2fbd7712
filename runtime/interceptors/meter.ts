import type { MeterPatch } from "../capabilities/capability.ts";
import type { Interceptor } from "./interceptor.ts";

/** Measures every op and keeps what its handler reports: the source of usage, cost and traces. */
export const meterInterceptor: Interceptor = (next) => async (request) => {
  const startedAt = Date.now();
  const begun = performance.now();
  let reported: MeterPatch = {};
  const meter = (patch: MeterPatch) => {
    reported = { ...reported, ...patch };
  };
  const completion = await next({ ...request, meter });
  return {
    ...completion,
    meter: {
      startedAt,
      durationMs: Math.round((performance.now() - begun) * 1_000) / 1_000,
      attempts: reported.attempts ?? 1,
      promptTokens: reported.promptTokens ?? 0,
      completionTokens: reported.completionTokens ?? 0,
      costUsd: reported.costUsd ?? 0,
      model: reported.model ?? null,
    },
  };
};
