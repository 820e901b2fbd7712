import type { DatastoreAt, ExecutionJob, NestedCall, NestedParked, NestedResult, WaitRequest } from "../execution.ts";
import type { AccessoryPart, AccessoryRequest, AskFiles } from "../file-request.ts";
import type { Services } from "../services.ts";
import type { Cost, Funds, Reservation, Spending, SpendRequest } from "../spending.ts";

/** Facts of the running execution that an op's handler may use. */
export interface Scope {
  readonly job: Readonly<ExecutionJob>;
  /** `ctx.messages`, parsed: the default of chat calls. */
  readonly messages: readonly unknown[];
  readonly sessionId: string;
  /** `ctx.env`. */
  readonly env: Readonly<Record<string, string>>;
  /** Revisions of the datastores that it may read, by name. */
  readonly datastores: Readonly<Record<string, DatastoreAt>>;
  /** Runs a nested workflow on the engine. */
  invoke(call: NestedCall): Promise<NestedResult | NestedParked>;
  /** Reads part of an accessory of this version. */
  accessory(request: AccessoryRequest): Promise<AccessoryPart>;
  /** Reads and writes files of the account. */
  readonly files: AskFiles;
  /** Reads an agent of the account, by name or id, with `@<version>` or not: JSON text of its version number and definition. */
  agent(key: string): Promise<string>;
  /** Begins to wait: the answer (JSON text) if it is there already; null: {@link Scope.waited} has it once it comes. */
  wait(request: WaitRequest): Promise<string | null>;
  /** The answer (JSON text) that the op at `pos` waits for. */
  waited(pos: number): Promise<string>;
  /** Asks the ledger. */
  reserve(request: SpendRequest): Promise<Reservation>;
  settle(ticket: number, cost: Cost): void;
  /** Resolves when it may be worth to ask again: more was given, or the time has come. */
  funded(funds: Funds): Promise<void>;
}

/** Usage a handler reports for its op; later values replace earlier ones. */
export interface MeterPatch {
  readonly attempts?: number;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly costUsd?: number;
  readonly model?: string | null;
}

/** One call of an op, as its handler sees it. */
export interface OpCall {
  readonly scope: Scope;
  readonly services: Services;
  /** Position in the guest's call order. */
  readonly pos: number;
  /** Guest clock when the op was posted, ms since the epoch. */
  readonly now: number;
  /** The same for every attempt at this op, also after a crash. */
  readonly idempotencyKey: string;
  /** Aborted when the execution ends or the guest gives the op up. */
  readonly signal: AbortSignal;
  /** For streaming ops: delivers one part (JSON text) to the guest before the result. */
  part(json: string): void;
  meter(patch: MeterPatch): void;
  /** Counts bytes of a result under way; throws LIMIT_EXCEEDED when the execution holds too many. */
  hold(bytes: number): void;
  /** Says that the op can be waited for without an isolate, until a time (ms since the epoch) or, with Infinity, an open end; the op is begun again by replay; null: not any more. `isShort`: for want of money. */
  park(until: number | null, isShort?: boolean): void;
  /** What calls that cost must keep within; null = no budget applies. */
  readonly spending: Spending | null;
  /** Parts (JSON texts) that the guest already saw before a crash; the handler must continue after them or fail. */
  readonly delivered: readonly string[];
}

/**
 * One op: `outside` effects are journaled durably and make a run impure; `time` ops (waiting) make it impure and may
 * simply be done again; so may `pure` ones.
 * `run` returns the JSON text delivered to the guest and throws WorkflowError.
 */
export interface Op<A = unknown> {
  readonly effect: "outside" | "time" | "pure";
  /** True for ops that ask a service something: one under way outlives the attempt that began it, rather than be sent again. */
  readonly sends?: boolean;
  /** True for `pure` ops whose result a recording cannot make again: an execution that used one keeps all its deliveries. */
  readonly kept?: boolean;
  /** For `pure` ops whose result is the same at any time: longer ones than this, in characters, are not in the journal but made again. */
  readonly again?: number;
  /** What has to be done again when a replay comes to a call whose result is in the journal: for what lasts no longer than an attempt. */
  redo?(args: A, call: Pick<OpCall, "scope" | "pos">): Promise<unknown>;
  /** Checks and narrows the guest's arguments; throws INVALID_ARGUMENT naming the field, the limit and the value. */
  parse(args: unknown, scope: Scope): A;
  run(args: A, call: OpCall): Promise<string>;
}

/** A power on ctx: everything about it in one file, named in `index.ts`. */
export interface Capability {
  /** Member of ctx it appears under, for example `http`. */
  readonly name: string;
  /** Op name → op; names are dotted paths starting with the capability's name. */
  readonly ops: Readonly<Record<string, Op>>;
  /** TypeScript text of its members in `WorkflowContext`, for authors; empty when it has none and only globals use it. */
  readonly declaration: string;
  /** One sentence for the table of ctx, and the limits it names. */
  readonly doc: { readonly member: string; readonly sentence: string; readonly limits: readonly string[] };
}

/** Keeps the argument type of an op known between its parser and its handler. */
export function defineOp<A>(op: Op<A>): Op {
  const { redo, ...rest } = op;
  const made: Op = { ...rest, run: (args, call) => op.run(args as A, call) };
  return redo === undefined ? made : { ...made, redo: (args, call) => redo(args as A, call) };
}
