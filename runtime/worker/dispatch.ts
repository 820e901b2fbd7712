import type { MeterPatch, OpCall, Scope } from "../capabilities/capability.ts";
import { findOp } from "../capabilities/index.ts";
import { type ErrorRecord, fail, toRecord, toWorkflowError } from "../errors.ts";
import type { OpMeter } from "../execution.ts";
import { limitsInterceptor } from "../interceptors/limits.ts";
import { meterInterceptor } from "../interceptors/meter.ts";
import type { Services } from "../services.ts";

/** One op on its way to its handler. */
export interface OpRequest {
  readonly pos: number;
  readonly name: string;
  /** JSON text of the guest's arguments. */
  readonly args: string;
  /** Guest clock when it was posted, ms since the epoch. */
  readonly now: number;
  readonly scope: Scope;
  readonly signal: AbortSignal;
  readonly delivered: readonly string[];
  part(json: string): void;
  meter(patch: MeterPatch): void;
}

/** How an op ended: JSON text for the guest, and what it cost (null for pure ops). */
export interface Completion {
  readonly kind: "result" | "error";
  readonly payload: string;
  readonly meter: OpMeter | null;
}

/** Runs one op to its completion; never rejects once all interceptors are around it. */
export type Handler = (request: OpRequest) => Promise<Completion>;

/** A rule around every op. */
export type Interceptor = (next: Handler) => Handler;

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
      delivered: request.delivered,
    };
    const args = op.parse(JSON.parse(request.args), request.scope);
    return { kind: "result", payload: await op.run(args, call), meter: null };
  };
}

/** JSON text of an error for the guest. */
export function errorPayload(record: ErrorRecord): string {
  return JSON.stringify(record);
}

/** The whole chain: interceptors around the capability's handler, errors turned into completions. */
export function createDispatch(services: Services): Handler {
  const settled: Handler = async (request) => {
    try {
      return await handle(services)(request);
    } catch (thrown) {
      return { kind: "error", payload: errorPayload(toRecord(toWorkflowError(thrown))), meter: null };
    }
  };
  return INTERCEPTORS.reduceRight((next, interceptor) => interceptor(next), settled);
}
