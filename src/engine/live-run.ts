import type { ErrorRecord, Usage } from "../../runtime/index.ts";
import type { CachedResult, NewExecution, Shortage, SpentUsage, Workflow } from "../store/store.ts";
import { ChunkLog } from "./chunk-log.ts";
import type { ExecutionResult, Invocation } from "./engine.ts";
import type { LiveWaits } from "./live-waits.ts";
import type { Plan } from "./plans.ts";
import { NO_USAGE } from "./result.ts";
import { ExecutionRow, type RowKeeper } from "./row.ts";
import type { CallSecrets } from "./secrets/call-secrets.ts";

/** Whether the result of an execution is kept for later calls. */
export interface CachePolicy {
  /** `pure`: only if the run touched nothing outside; `always`: the author or the operator asked for it. */
  readonly keep: "never" | "pure" | "always";
  readonly ttlMs: number;
}

/** Everything an execution starts from, secrets included: in memory only. */
export interface Call extends CallSecrets {
  readonly execution: NewExecution;
  readonly workflow: Workflow;
  readonly plan: Plan;
  /** JSON text of CtxData as the guest sees it. */
  readonly data: string;
  readonly key: string;
  readonly policy: CachePolicy;
  readonly onDisconnect: Invocation["onDisconnect"];
  /** The running execution that called this one; null for calls from outside. */
  readonly parent: LiveRun | null;
}

/**
 * - `new`: made, not yet begun; it may wait in memory for a place or for an identical run
 * - `queued`: it waits in the store to be claimed
 * - `running`: a worker has it, or is about to
 * - `parked`: it waits in the store for a time
 * - `over`: its result is in
 */
export type Phase = "new" | "queued" | "running" | "parked" | "over";

/** One execution that this process answers for, from its call to its end. */
export class LiveRun {
  readonly call: Call;
  readonly row: ExecutionRow;
  readonly log: ChunkLog;
  readonly children = new Set<LiveRun>();
  #result = Promise.withResolvers<ExecutionResult>();
  readonly #shared = Promise.withResolvers<CachedResult | null>();
  #begun: PromiseWithResolvers<void> | null = null;
  phase: Phase = "new";
  cache: Invocation["cache"];
  /** Milliseconds since the epoch: the guest's clock counts from here; the call's own time until it begins. */
  startedAt: number;
  /** Start of the guest's clock where that is not `startedAt`: a fork goes on with the clock of its origin. */
  clockAt: number | null = null;
  /** Attempts begun in this process; calls of earlier ones are refused. */
  attempt = 0;
  /** True when deliveries may be recorded already. */
  resumed = false;
  /** True when it gets a host process of its own. */
  alone = false;
  /** Hosts lost under it. */
  losses = 0;
  /** Why it must end although it could go on. */
  stopping: ErrorRecord | null = null;
  /** True when its worker says at once that it turned out impure. */
  tellsImpure = false;
  /** True when another holder has it or it is gone from the store. */
  leaseLost = false;
  /** True when the server stops without it: it is resumed at the next start. */
  detached = false;
  /** Ends a wait in memory with an error; null when it does not wait there. */
  giveUp: ((error: ErrorRecord) => void) | null = null;
  /** Lets go of what its wait needs. */
  endWait: (() => void) | null = null;
  /** Attempts after the first that nobody asked for. */
  retries = 0;
  /** When its timeout began to count anew, ms since the epoch; null = it counts from the start or the call. */
  timeoutFrom: number | null = null;
  /** True when others may wait for its end. */
  isGated = false;
  /** True while it has a place among the executions called from outside. */
  hasPlace = false;
  /** What its attempts wait for; null until one waits. */
  waits: LiveWaits | null = null;
  /** Callers that wait for it. */
  callers = 0;
  /** True once a call of it asked the ledger for money. */
  spends = false;
  /** What its calls, or those of executions that it called, lack; null while none was refused. */
  lacks: Shortage | null = null;
  /** What it is parked for; null while it is not parked for want of money. */
  shortage: Shortage | null = null;
  /** How often its callers were told that it waits for money. */
  timesShort = 0;
  /** Nested executions started below it, at any depth (counted on the outermost). */
  descendants = 0;
  /** What it had used when it failed; null while it has not. */
  used: Usage | null = null;
  /** What the calls used that further attempts dropped from its journal. */
  dropped: SpentUsage = NO_USAGE;
  /** Finished ops with an outside effect that were recorded. */
  spentOps = 0;
  spentUsd = 0;
  spentPromptTokens = 0;
  spentCompletionTokens = 0;

  constructor(call: Call, keeper: RowKeeper, cache: Invocation["cache"]) {
    const { execution } = call;
    this.call = call;
    this.cache = cache;
    this.startedAt = execution.createdAt;
    this.row = new ExecutionRow(keeper, execution);
    this.log = new ChunkLog((from) => keeper.store.readChunks({ executionId: execution.id, from, limit: 500 }));
    call.parent?.children.add(this);
  }

  get id(): string {
    return this.call.execution.id;
  }

  /** The call from outside that this one descends from. */
  get outermost(): LiveRun {
    return this.call.parent?.outermost ?? this;
  }

  /** What its ops cost as far as they were recorded. */
  get spent(): Usage {
    const { spentOps: ops, spentUsd: costUsd } = this;
    const { spentPromptTokens: promptTokens, spentCompletionTokens: completionTokens } = this;
    return { ...NO_USAGE, ops, costUsd, promptTokens, completionTokens };
  }

  /** Milliseconds since the epoch; null = no wall limit. Whoever waits for the answer counts from the call. */
  get deadlineAt(): number | null {
    const { timeoutMs, mode, createdAt } = this.call.execution;
    if (timeoutMs === null) return null;
    return (this.timeoutFrom ?? (mode === "background" ? this.startedAt : createdAt)) + timeoutMs;
  }

  /** Settles when the execution ends, or waits for money (with that as its error); never rejects. */
  get result(): Promise<ExecutionResult> {
    return this.#result.promise;
  }

  /** Settles once it no longer waits in memory. */
  get begun(): Promise<void> {
    if (this.phase !== "new") return Promise.resolve();
    this.#begun ??= Promise.withResolvers<void>();
    return this.#begun.promise;
  }

  /** Says that it begins or goes on. */
  begin(): void {
    this.phase = "running";
    this.shortage = null;
    this.stopWaiting();
    this.#begun?.resolve();
  }

  /** Ends the wait for its begin. */
  stopWaiting(): void {
    this.giveUp = null;
    this.endWait?.();
    this.endWait = null;
  }

  /** What identical calls may have of it: its cached result, or null when they must run themselves. */
  get shared(): Promise<CachedResult | null> {
    return this.#shared.promise;
  }

  /** True when the store knows all that matters of it: nobody waits for it here, and it may leave memory while it waits there. */
  get isForgettable(): boolean {
    const { mode, hasSecrets } = this.call.execution;
    const isPlain = !this.alone && this.losses === 0 && this.descendants === 0 && this.stopping === null;
    const isAlone = mode === "background" || (this.shortage !== null && mode !== "nested");
    return isAlone && !hasSecrets && this.callers === 0 && isPlain;
  }

  /** Tells everyone who waits that it is parked for want of money; whoever asks from now on waits for its end. */
  tellShort(shortage: Shortage, result: ExecutionResult): void {
    const told = this.#result;
    this.#result = Promise.withResolvers<ExecutionResult>();
    this.shortage = shortage;
    this.timesShort++;
    this.callers = 0;
    told.resolve(result);
  }

  /** Tells identical calls that wait; null sends them off to run themselves. */
  share(result: CachedResult | null): void {
    this.#shared.resolve(result);
  }

  /** Ends it for everyone who waits. */
  async settle(result: ExecutionResult): Promise<void> {
    this.phase = "over";
    this.stopWaiting();
    this.#begun?.resolve();
    this.waits?.clear();
    this.share(null);
    this.call.parent?.children.delete(this);
    if (this.log.isCatchingUp) await this.log.settled();
    this.#result.resolve(result);
  }
}
