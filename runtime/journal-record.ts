/**
 * One delivery into the guest, in delivery order: the journal of an execution is the list of these.
 * `result` and `error` finish the op at `pos`; a `part` is one batch of a streaming op.
 */
export interface JournalRecord {
  /** Delivery order within the execution, from 0, without gaps. */
  readonly seq: number;
  /** Position of the op in the guest's call order, from 0. */
  readonly pos: number;
  readonly kind: "result" | "error" | "part";
  /** Op name, for example `http.request`. */
  readonly op: string;
  /** Base64url SHA-256 of op name and argument JSON (secret values hidden). */
  readonly hash: string;
  /** JSON text delivered to the guest (secret values replaced by placeholders). */
  readonly payload: string;
  /** The guest's clock from this delivery on: milliseconds since the epoch. */
  readonly at: number;
  /** Argument JSON for the trace only; null for ops without an outside effect and for parts. */
  readonly args: string | null;
  /** What the op cost; null for ops without an outside effect and for parts. */
  readonly meter: OpMeter | null;
}

/** What one finished op took and cost. */
export interface OpMeter {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Calls sent upstream, retries included. */
  readonly attempts: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
  readonly model: string | null;
  /** Id of the graph's node that called; absent for calls of no node. */
  readonly node?: string;
}

/** What calls have cost so far. */
export type SpentUsage = Pick<OpMeter, "promptTokens" | "completionTokens" | "costUsd">;

/** A delivery as an attempt repeats it: of its meter only what counts. */
export type ReplayRecord = Omit<JournalRecord, "meter"> & { readonly meter: SpentUsage | null };
