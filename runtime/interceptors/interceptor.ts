import type { MeterPatch, Scope } from "../capabilities/capability.ts";
import type { OpMeter } from "../execution.ts";

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
  /** Says that the op can be waited for without an isolate, until a time (ms since the epoch) or, with Infinity, an open end; null: not any more. `isShort`: for want of money. */
  park(until: number | null, isShort?: boolean): void;
  /** Counts bytes of a result under way; throws LIMIT_EXCEEDED when the execution holds too many. */
  hold(bytes: number): void;
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
