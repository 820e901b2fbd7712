import { type ErrorRecord, toRecord, toWorkflowError } from "../../runtime/index.ts";
import type { ResultCache } from "../cache/result-cache.ts";
import type { CachedResult, Execution } from "../store/store.ts";
import { cachePolicyOf, createCall, leastMs } from "./call.ts";
import type { Invocation, InvokeRequest } from "./engine.ts";
import { finishCached, finishFailed } from "./finish.ts";
import { answerHit } from "./hits.ts";
import { joinKeyed, joinKnown, joinLive } from "./idempotency.ts";
import { checkInput } from "./input-check.ts";
import { toInvocation, toStoredInvocation } from "./invocation.ts";
import { type Call, LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { toFailed } from "./result.ts";
import type { Runner } from "./runner.ts";
import { timeoutError } from "./stopping.ts";
import { findTarget, type Target } from "./target.ts";
import { createTurns } from "./turns.ts";
import { checkCallWebhook, withWebhook } from "./webhooks/call-webhook.ts";

/** Queued executions that stay in memory, per place. */
const KEPT_PER_PLACE = 4;
/** Longest wait that a timer can measure, ms. */
const MAX_TIMER_MS = 2_147_483_647;

/** Answers one call from outside. */
export type Invoke = (request: InvokeRequest) => Promise<Invocation>;

/** What a workflow's own word for how it is called means. */
const MODES = { sync: "sync", stream: "stream", async: "background" } as const;

type Mode = NonNullable<InvokeRequest["mode"]>;

function timeoutOf(request: InvokeRequest, mode: Mode, { workflow, plan }: Target, { limits }: Parts): number | null {
  const server = { sync: limits.timeoutMs, stream: limits.streamTimeoutMs, background: null }[mode];
  return leastMs(server, workflow.timeoutMs, plan.config.timeoutMs, request.timeoutMs);
}

function toCall(request: InvokeRequest, target: Target, parts: Parts): Call {
  const { workflow, plan } = target;
  checkInput(target, request.input);
  const { accountId, sessionId, requestId, idempotencyKey, onDisconnect } = request;
  const mode = request.mode ?? MODES[workflow.executionMode];
  return createCall(target, request, {
    accountId,
    mode,
    sessionId,
    requestId,
    idempotencyKey,
    timeoutMs: timeoutOf(request, mode, target, parts),
    onDisconnect: onDisconnect ?? plan.config.onDisconnect,
    policy: cachePolicyOf(target, request.cache, parts.settings),
    parent: null,
    parentPos: null,
  });
}

/** Lets a run that waits in memory be given up by its callers or at its deadline; returns the function that ends the wait. */
function waitInMemory(run: LiveRun, onGiveUp: (error: ErrorRecord) => void): () => void {
  const left = (run.deadlineAt ?? Number.POSITIVE_INFINITY) - Date.now();
  const timer =
    left > MAX_TIMER_MS ? undefined : setTimeout(() => run.giveUp?.(timeoutError(run)), Math.max(0, left)).unref();
  const end = () => {
    run.giveUp = null;
    clearTimeout(timer);
  };
  run.giveUp = (error) => {
    end();
    onGiveUp(error);
  };
  return end;
}

/** Begins a run as soon as there is a place for it; OVERLOADED when too many wait. */
function enter(run: LiveRun, parts: Parts, runner: Runner): void {
  const { admission } = parts;
  let stopWaiting: (() => void) | null = null;
  const ticket = {
    go() {
      stopWaiting?.();
      run.hasPlace = true;
      runner.start(run);
    },
  };
  admission.enter(ticket);
  if (run.phase !== "new") return;
  stopWaiting = waitInMemory(run, (error) => {
    if (admission.leave(ticket)) finishFailed(run, error, parts).catch(parts.report);
  });
}

/** Waits for an identical run that is under way, and runs itself when that one's result cannot be shared. */
function follow(run: LiveRun, leader: LiveRun, parts: Parts, runner: Runner): void {
  const stopWaiting = waitInMemory(run, (error) => {
    parts.admission.unfollow();
    finishFailed(run, error, parts).catch(parts.report);
  });
  leader.shared.then((cached) => {
    if (run.giveUp === null || run.phase !== "new") return;
    stopWaiting();
    parts.admission.unfollow();
    if (cached !== null) return finishCached(run, cached, parts).catch(parts.report);
    try {
      enter(run, parts, runner);
    } catch (error) {
      finishFailed(run, toRecord(toWorkflowError(error)), parts).catch(parts.report);
    }
    return undefined;
  });
}

/** An identical run worth waiting for, or null. */
function leaderOf({ key, policy, plan }: Call, { live }: Parts): LiveRun | null {
  if (policy.keep === "never") return null;
  if (policy.keep !== "always" && plan.isPure === false) return null;
  const twin = live.twin(key);
  if (twin?.phase !== "running" || twin.call.policy.keep === "never") return null;
  return policy.keep === "always" || twin.tellsImpure ? twin : null;
}

/** The run in flight that a client's retry repeats, or null. */
function original({ sessionId }: InvokeRequest, { key }: Call, { live }: Parts): LiveRun | null {
  return live.twin(key, (run) => sessionId === null || run.call.execution.sessionId === sessionId);
}

async function readCached(
  { cache: mode }: InvokeRequest,
  call: Call,
  cache: ResultCache,
): Promise<CachedResult | null> {
  if (mode !== "default" || call.policy.keep === "never") return null;
  return cache.read(call.key, Date.now());
}

/** Begins at once or behind an identical run; OVERLOADED when too many wait. */
function begin(run: LiveRun, leader: LiveRun | null, parts: Parts, runner: Runner): void {
  parts.live.add(run);
  try {
    if (leader !== null && parts.admission.follow()) follow(run, leader, parts, runner);
    else enter(run, parts, runner);
  } catch (error) {
    parts.live.remove(run);
    throw error;
  }
}

/** Whoever called in the background does not wait: the run may leave memory. */
function startedView(run: LiveRun, parts: Parts): Invocation {
  const { execution } = run.call;
  if (execution.mode !== "background") return toInvocation(run, parts);
  const { workflow, plan } = run.call;
  const asked = { workflow, plan, mode: execution.mode };
  return toStoredInvocation({ ...execution, state: { status: "queued" } }, asked, parts);
}

/** A few queued runs stay in memory: they begin without being read back. */
function forgetIfMany(run: LiveRun, { live, settings }: Parts): void {
  const isMany = live.size > settings.maxConcurrent * KEPT_PER_PLACE;
  if (isMany && run.phase === "queued" && run.isForgettable) live.remove(run);
}

/** Secrets are only in memory, and so is a background call that has some: it counts among those that wait. OVERLOADED. */
function countIfKept(run: LiveRun, { admission }: Parts): void {
  if (!run.call.execution.hasSecrets) return;
  if (!admission.follow()) throw admission.refusal();
  run.begun.then(() => admission.unfollow());
}

/** Makes the function that answers calls from outside. */
export function createInvoke(parts: Parts, runner: Runner): Invoke {
  const { store, live, cache, claims, keeper } = parts;
  const inTurn = createTurns();

  /** Through the store's queue: durable before the caller hears of it. */
  const enqueue = async (run: LiveRun): Promise<Execution | null> => {
    countIfKept(run, parts);
    run.phase = "queued";
    live.add(run);
    try {
      const { execution, created } = await store.enqueue({ execution: run.call.execution });
      if (!created) return execution;
      claims.wake();
      forgetIfMany(run, parts);
      return null;
    } catch (error) {
      await discard(run, error);
      throw error;
    }
  };

  /** A retry may have joined it meanwhile. */
  const discard = (run: LiveRun, error: unknown): Promise<void> => {
    live.remove(run);
    return run.settle(toFailed(toRecord(toWorkflowError(error))));
  };

  /** Another process was faster with the same idempotency key. */
  const joinOther = async (request: InvokeRequest, run: LiveRun, known: Execution): Promise<Invocation> => {
    live.remove(run);
    const joined = await joinKnown(known, request, run.call, parts).catch(async (error: unknown) => {
      await discard(run, error);
      throw error;
    });
    joined.result.then((result) => run.settle(result)).catch(parts.report);
    return joined;
  };

  const runNew = async (request: InvokeRequest, call: Call): Promise<Invocation> => {
    const cached = await readCached(request, call, cache);
    if (cached !== null) return answerHit(call, cached, parts.hits);
    const run = new LiveRun(call, keeper, call.policy.keep === "never" ? "bypass" : "miss");
    if (call.execution.mode === "background") {
      const known = await enqueue(run);
      return known === null ? startedView(run, parts) : joinOther(request, run, known);
    }
    begin(run, request.cache === "default" ? leaderOf(call, parts) : null, parts, runner);
    return startedView(run, parts);
  };

  const runTold = (request: InvokeRequest, call: Call) =>
    withWebhook(request.webhook, call.execution.id, () => runNew(request, call), parts);

  return async (request) => {
    await checkCallWebhook(request, parts);
    const call = toCall(request, await findTarget(request, parts), parts);
    const { idempotencyKey } = request;
    if (idempotencyKey !== null) {
      const key = `${request.accountId}:${idempotencyKey}`;
      return inTurn(key, async () => (await joinKeyed(request, idempotencyKey, call, parts)) ?? runTold(request, call));
    }
    const twin = request.retry ? original(request, call, parts) : null;
    return twin === null ? runTold(request, call) : joinLive(twin, call, parts);
  };
}
