import type { OpCall } from "../capabilities/capability.ts";
import { findOp } from "../capabilities/index.ts";
import { fail, toRecord, toWorkflowError } from "../errors.ts";
import type { Handler, Interceptor } from "../interceptors/interceptor.ts";
import { limitsInterceptor } from "../interceptors/limits.ts";
import { meterInterceptor } from "../interceptors/meter.ts";
import type { Services } from "../services.ts";
import { spendingOf } from "./spending.ts";

/** Outermost first. The journal's part is played by deliveries.ts, which every completion passes before the guest. */
export const INTERCEPTORS: readonly Interceptor[] = [meterInterceptor, limitsInterceptor];

function handle(services: Services): Handler {
  return async (request) => {
    const op = findOp(request.name);
    if (op === undefined) throw fail("CAPABILITY_DENIED", { message: `ctx.${request.name} does not exist` });
    const call: OpCall = {
      scope: request.scope,
      services,
      pos: request.pos,
      now: request.now,
      idempotencyKey: `${request.scope.job.executionId}:${request.pos}`,
      signal: request.signal,
      part: request.part,
      meter: request.meter,
      hold: request.hold,
      park: request.park,
      spending: spendingOf(request),
      delivered: request.delivered,
    };
    const args = op.parse(JSON.parse(request.args), request.scope);
    return { kind: "result", payload: await op.run(args, call), meter: null };
  };
}

/** The whole chain: interceptors around the capability's handler, errors turned into completions. */
export function createDispatch(services: Services): Handler {
  const run = handle(services);
  const settled: Handler = async (request) => {
    try {
      return await run(request);
    } catch (thrown) {
      return { kind: "error", payload: JSON.stringify(toRecord(toWorkflowError(thrown))), meter: null };
    }
  };
  return INTERCEPTORS.reduceRight((next, interceptor) => interceptor(next), settled);
}
