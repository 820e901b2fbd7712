import { fail, toRecord, toWorkflowError } from "../../runtime/index.ts";
import type { ResultCache } from "../cache/result-cache.ts";
import type { CachedResult, Execution } from "../store/store.ts";
import { checkPools, poolKey } from "./budgets/payer.ts";
import { cachePolicyOf, createCall, leastMs } from "./call.ts";
import type { Invocation, InvokeRequest } from "./engine.ts";
import { finishCached, finishFailed } from "./finish.ts";
import { isLimited } from "./gates.ts";
import { answerHit } from "./hits.ts";
import { joinKeyed, joinKnown, joinLive } from "./idempotency.ts";
import { checkInput } from "./input-check.ts";
import { toInvocation, toStoredInvocation } from "./invocation.ts";
import { type Call, LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { waitingPriority } from "./priority.ts";
import { createQueue, discard, type Joined } from "./queue.ts";
import type { Runner } from "./runner.ts";
import { findTarget, type PinnedTarget, type Target } from "./target.ts";
import { createTurns } from "./turns.ts";
import { waitToBegin } from "./wait.ts";
import { checkCallWebhook, withWebhook } from "./webhooks/call-webhook.ts";

/** Answers one call from outside. */
export type Invoke = (request: InvokeRequest) => Promise<Invocation>;

/** What a workflow's own word for how it is called means. */
const MODES = { sync: "sync", stream: "stream", async: "background" } as const;

type Mode = NonNullable<InvokeRequest["mode"]>;

function timeoutOf(request: InvokeRequest, mode: Mode, { workflow, plan }: Target, { limits }: Parts): number | null {
  const server = { sync: limits.timeoutMs, stream: limits.streamTimeoutMs, background: null }[mode];
  if (request.timeoutReplaces === true) return leastMs(server, request.timeoutMs);
  return leastMs(server, workflow.timeoutMs, plan.config.timeoutMs, request.timeoutMs);
}

/** Latest time that a call may ask to begin at, from now, ms. */
const MAX_DELAY_MS = 366 * 86_400_000;

function checkBegin(runAt: number | null, mode: Mode): void {
  if (runAt === null) return;
  const refuse = (message: string) => fail("INVALID_REQUEST", { message, param: "run_at" });
  if (mode !== "background") throw refuse("run_at (or delay_seconds): only for background calls");
  const delay = runAt - Date.now();
  if (delay > MAX_DELAY_MS) throw refuse(`run_at (or delay_seconds): ${delay} ms from now, over ${MAX_DELAY_MS} ms`);
}

function toCall(request: InvokeRequest, target: PinnedTarget, parts: Parts): Call {
  const { workflow, plan } = target;
  checkInput(target, request.input);
  const { accountId, sessionId, requestId, idempotencyKey, onDisconnect } = request;
  const mode = request.mode ?? MODES[workflow.executionMode];
  checkBegin(request.runAt, mode);
  const waits = mode !== "background" && isLimited(plan);
  return createCall(target, request, {
    accountId,
    mode,
    sessionId,
    requestId,
    idempotencyKey,
    timeoutMs: timeoutOf(request, mode, target, parts),
    onDisconnect: onDisconnect ?? plan.config.onDisconnect,
    policy: cachePolicyOf(target, request.cache, parts.settings),
    priority: waits ? waitingPriority(request.priority) : request.priority,
    runAt: request.runAt,
    budget: request.budget ?? null,
    key: poolKey(request, parts.ledger),
    granted: parts.secrets.granted(accountId, workflow.ref),
    parent: null,
    parentPos: null,
  });
}

/** Begins a run as soon as there is a place for it; OVERLOADED when too many wait. */
function enterMemory(run: LiveRun, parts: Parts, runner: Runner): void {
  const { admission } = parts;
  const ticket = {
    accountId: run.call.execution.accountId,
    go() {
      run.hasPlace = true;
      runner.start(run);
    },
  };
  admission.enter(ticket);
  if (run.phase !== "new") return;
  waitToBegin(run, (error) => {
    if (admission.leave(ticket)) finishFailed(run, error, parts).catch(parts.report);
  });
}

/** Waits for an identical run that is under way, and runs itself (`enter`) when that one's result cannot be shared. */
function follow(run: LiveRun, leader: LiveRun, parts: Parts, enter: () => Promise<unknown>): void {
  waitToBegin(run, (error) => {
    parts.admission.unfollow();
    finishFailed(run, error, parts).catch(parts.report);
  });
  leader.shared.then((cached) => {
    if (run.giveUp === null || run.phase !== "new") return undefined;
    run.stopWaiting();
    parts.admission.unfollow();
    if (cached !== null) return finishCached(run, cached, parts).catch(parts.report);
    return enter().catch((error: unknown) => {
      if (run.phase !== "over") finishFailed(run, toRecord(toWorkflowError(error)), parts).catch(parts.report);
    });
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
async function begin(
  run: LiveRun,
  leader: LiveRun | null,
  parts: Parts,
  enter: (run: LiveRun) => Promise<Joined | null>,
): Promise<Joined | null> {
  parts.live.add(run);
  try {
    if (leader === null || !parts.admission.follow()) return await enter(run);
    follow(run, leader, parts, () => enter(run));
    return null;
  } catch (error) {
    parts.live.remove(run);
    throw error;
  }
}

/** Whoever called in the background does not wait: the run may leave memory. */
function startedView(run: LiveRun, parts: Parts): Invocation {
  const { execution } = run.call;
  if (execution.mode !== "background") return toInvocation(run, parts);
  const { workflow, plan, onDisconnect } = run.call;
  const asked = { workflow, plan, mode: execution.mode, onDisconnect };
  return toStoredInvocation({ ...execution, state: { status: "queued" } }, asked, parts);
}

/** True when a call waits before it begins: what is cached now may be out of date then. */
function isLater({ execution, plan }: Call): boolean {
  const { mode, runAt, createdAt } = execution;
  return mode === "background" && (runAt > createdAt || plan.config.debounce !== null);
}

/** One caller's view of the execution that its call was merged into. */
function mergedView(run: LiveRun, execution: Execution, parts: Parts): Invocation {
  const { workflow, plan, onDisconnect } = run.call;
  const asked = { workflow, plan, mode: execution.mode, onDisconnect, debounced: true };
  const merged = toStoredInvocation(execution, asked, parts);
  if (run.callers > 0) merged.result.then((result) => run.settle(result)).catch(parts.report);
  return merged;
}

/** Makes the function that answers calls from outside. */
export function createInvoke(parts: Parts, runner: Runner): Invoke {
  const { live, cache, keeper } = parts;
  const inTurn = createTurns();
  const queue = createQueue(parts);

  /** Another process was faster with the same idempotency key. */
  const joinOther = async (request: InvokeRequest, run: LiveRun, known: Execution): Promise<Invocation> => {
    live.remove(run);
    const joined = await joinKnown(known, request, run.call, parts).catch(async (error: unknown) => {
      await discard(run, error, parts);
      throw error;
    });
    joined.result.then((result) => run.settle(result)).catch(parts.report);
    return joined;
  };

  const startedOr = (request: InvokeRequest, run: LiveRun, joined: Joined | null) => {
    if (joined === null) return startedView(run, parts);
    const { execution, debounced } = joined;
    return debounced ? mergedView(run, execution, parts) : joinOther(request, run, execution);
  };

  /** Begins a run when its turn comes: by the store's queue where the workflow's executions are limited, else by the one in memory. */
  const enter = async (run: LiveRun): Promise<Joined | null> => {
    if (isLimited(run.call.plan)) return queue.enqueueDirect(run);
    enterMemory(run, parts, runner);
    return null;
  };

  const runNew = async (request: InvokeRequest, call: Call): Promise<Invocation> => {
    const broken = parts.store.diskError();
    if (broken !== null) throw broken;
    const cached = isLater(call) ? null : await readCached(request, call, cache);
    if (cached !== null) return answerHit(call, cached, parts.hits);
    await checkPools(request, parts.ledger);
    const run = new LiveRun(call, keeper, call.policy.keep === "never" ? "bypass" : "miss");
    if (call.execution.mode === "background") return startedOr(request, run, await queue.enqueue(run));
    const leader = request.cache === "default" ? leaderOf(call, parts) : null;
    return startedOr(request, run, await begin(run, leader, parts, enter));
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
