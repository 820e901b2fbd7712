import { toRecord, toWorkflowError } from "../../runtime/index.ts";
import type { Execution } from "../store/store.ts";
import { gatesOf } from "./gates.ts";
import { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { toFailed } from "./result.ts";
import { withSeed } from "./secrets/call-secrets.ts";
import { stopRun } from "./stopping.ts";
import { waitToBegin } from "./wait.ts";

/** The execution that a call led to although it was not a new one. */
export interface Joined {
  readonly execution: Execution;
  /** True when the call was merged into it; else another process was faster with the same idempotency key. */
  readonly debounced: boolean;
}

/** The way of calls through the store's queue. */
export interface Queue {
  /** Stores a call in the background; it is durable before its caller hears of it. Null when it is a new execution. */
  enqueue(run: LiveRun): Promise<Joined | null>;
  /** The same for a caller who waits, because the workflow's executions are limited; OVERLOADED when too many wait, RATE_LIMITED. */
  enqueueDirect(run: LiveRun): Promise<Joined | null>;
}

/** Queued executions that stay in memory, per place. */
const KEPT_PER_PLACE = 4;

/** A few queued runs stay in memory: they begin without being read back. */
function forgetIfMany(run: LiveRun, { live, settings }: Parts): void {
  const isMany = live.size > settings.maxConcurrent * KEPT_PER_PLACE;
  if (isMany && run.phase === "queued" && run.isForgettable) live.remove(run);
}

/** What is kept in memory while it waits counts among the calls that wait; OVERLOADED. */
export function countWaiting(run: LiveRun, { admission }: Parts): void {
  if (!admission.follow()) throw admission.refusal();
  run.begun.then(() => admission.unfollow());
}

/** A retry may have joined it meanwhile. */
export function discard(run: LiveRun, error: unknown, { live }: Parts): Promise<void> {
  live.remove(run);
  return run.settle(toFailed(toRecord(toWorkflowError(error))));
}

/** What is in memory of an execution that got another request is out of date; only secrets are nowhere else. */
function replace(run: LiveRun, execution: Execution, { live, keeper, report }: Parts): void {
  live.remove(run);
  const old = live.get(execution.id);
  if (old === null || old.phase !== "queued") return;
  live.remove(old);
  const fresh = new LiveRun({ ...run.call, ...withSeed(run.call, execution.seed), execution }, keeper, run.cache);
  fresh.phase = "queued";
  fresh.isGated = true;
  if (execution.hasSecrets || old.callers > 0) live.add(fresh);
  fresh.result.then((result) => old.settle(result)).catch(report);
}

/** Makes the queue of one engine. */
export function createQueue(parts: Parts): Queue {
  const { store, live, claims, jobs } = parts;

  const add = async (run: LiveRun): Promise<Joined | null> => {
    const { execution: asked, plan } = run.call;
    run.phase = "queued";
    live.add(run);
    try {
      const gates = gatesOf(asked, plan);
      run.isGated = gates !== null;
      if (asked.mode === "background") await jobs.add(asked.accountId);
      const { execution, created, debounced } = await store.enqueue({ execution: asked, gates });
      if (debounced) replace(run, execution, parts);
      if (!created) return { execution, debounced };
      claims.wake();
      if (execution.runAt > execution.createdAt) claims.due(execution.runAt);
      return null;
    } catch (error) {
      await discard(run, error, parts);
      throw error;
    }
  };

  return {
    async enqueue(run) {
      // Secrets are only in memory, and so is a background call that has some.
      if (run.call.execution.hasSecrets) countWaiting(run, parts);
      const joined = await add(run);
      if (joined === null) forgetIfMany(run, parts);
      return joined;
    },
    async enqueueDirect(run) {
      countWaiting(run, parts);
      const joined = await add(run);
      if (joined === null && run.phase === "queued") waitToBegin(run, (error) => stopRun(run, error, parts));
      return joined;
    },
  };
}
