import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fail, toRecord } from "../../runtime/index.ts";
import { createAdmission } from "./admission.ts";
import { Bells } from "./bells.ts";
import type { BudgetService } from "./budgets/budget-service.ts";
import { createBudgets, wakeFunded } from "./budgets/create-budgets.ts";
import { type ClaimOptions, createClaims } from "./claims.ts";
import { createWaiting } from "./create-waiting.ts";
import type { Engine } from "./engine.ts";
import { forkExecution } from "./fork.ts";
import { createHits } from "./hits.ts";
import { findKeyed } from "./idempotency.ts";
import { createInvoke } from "./invoke.ts";
import { createJobLimit } from "./job-limit.ts";
import { expireKeys } from "./key-expiry.ts";
import { keepLeases, type LeaseKeeper } from "./lease-keeper.ts";
import { LiveRuns } from "./live-runs.ts";
import { createNested } from "./nested.ts";
import { News } from "./news.ts";
import { observeStore } from "./observed-store.ts";
import type { EngineOptions, Parts } from "./parts.ts";
import { createPlans } from "./plans.ts";
import { createQueries } from "./queries.ts";
import { acceptClaimed } from "./recovery.ts";
import { toFailed } from "./result.ts";
import { keepRetention } from "./retention.ts";
import type { ExecutionRow, RowKeeper } from "./row.ts";
import { createRunner } from "./runner.ts";
import { deleted, stopRun } from "./stopping.ts";
import { Strikes } from "./strikes.ts";
import { createSweep } from "./sweep.ts";
import type { WaitingService } from "./waiting.ts";

/** An execution that lasts longer than this has its start stored, ms (at most twice). */
const START_SWEEP_MS = 5;
/** Chunks and log lines are stored after this, ms (at most twice). */
const OUTPUT_SWEEP_MS = 25;
/** An execution whose holder is silent for this long may be taken by another, ms. */
const LEASE_MS = 30_000;
/** Looks at what still runs while the engine stops, ms. */
const STOP_LOOK_MS = 20;

const stopped = () => toFailed(toRecord(fail("STOPPING")));

/** The engine of one server process. */
export interface StartedEngine extends Engine {
  /** Resumes what an earlier process left behind and begins to accept calls. */
  start(): Promise<void>;
  /** Ends the executions of a workflow that was deleted. */
  stopWorkflow(workflowId: string): void;
  /** Events and questions to people. */
  readonly waiting: WaitingService;
  /** What executions may spend. */
  readonly budgets: BudgetService;
}

function createKeeper({ store }: EngineOptions): RowKeeper {
  return {
    store,
    worker: randomUUID(),
    leaseMs: LEASE_MS,
    starts: createSweep<ExecutionRow>(START_SWEEP_MS, (row) => row.start()),
    outputs: createSweep<ExecutionRow>(OUTPUT_SWEEP_MS, (row) => row.flushOutput()),
  };
}

function createParts(
  given: EngineOptions,
  { accept, catchUp }: Pick<ClaimOptions, "accept" | "catchUp">,
): Omit<Parts, "isOpen"> {
  const observers = { bells: new Bells(), news: new News() };
  const options = { ...given, store: observeStore(given.store, observers) };
  const { store, settings, report } = options;
  const keeper = createKeeper(options);
  const { worker, leaseMs } = keeper;
  const admission = createAdmission(settings, () => claims.freed());
  const free = () => admission.free();
  const claims = createClaims({ store, worker, leaseMs, free, accept, catchUp, report });
  const hits = createHits(store, report);
  const jobs = createJobLimit(store, settings.maxJobs);
  const shared = { keeper, admission, claims, jobs, hits, live: new LiveRuns(), strikes: new Strikes() };
  return { ...options, ...observers, ...shared, planOf: createPlans() };
}

/** Lets go of everything: what is not over is in the store and resumed at the next start. */
async function letGo({ keeper, live, hits }: Parts): Promise<void> {
  keeper.starts.flush();
  keeper.outputs.flush();
  await hits.flush();
  const left = [...live.all()];
  // All of them first: a parent must not record that its child was stopped.
  for (const run of left) run.detached = true;
  for (const run of left) await run.settle(stopped());
  keeper.starts.close();
  keeper.outputs.close();
}

/** Ends the calls that still wait for a place. */
async function sendAway(live: LiveRuns): Promise<void> {
  for (const run of [...live.all()]) {
    if (run.phase !== "new") continue;
    run.giveUp = null;
    await run.settle(stopped());
  }
}

/** Makes the engine; it does nothing until it is started. */
export function createEngine(options: EngineOptions): StartedEngine {
  let state: "made" | "open" | "stopping" | "closed" = "made";
  let leases: LeaseKeeper | null = null;
  const timers: { close(): void }[] = [];
  const parts: Parts = {
    ...createParts(options, {
      accept: (execution) => acceptClaimed(execution, parts, runner),
      catchUp: () => leases?.catchUp(),
    }),
    isOpen: () => state !== "closed",
  };
  const runner = createRunner(parts, (parent, call) => nested(parent, call));
  const nested = createNested(parts, runner);
  const invoke = createInvoke(parts, runner);
  const { live, claims, keeper, admission, store } = parts;
  const waiting = createWaiting(parts);
  const queries = createQueries(parts);

  const isIdle = () => live.size === 0 || [...live.all()].every((run) => run.phase !== "running");

  return {
    ...queries,
    waiting,
    budgets: createBudgets(parts),
    async invoke(request) {
      if (state === "stopping" || state === "closed") throw fail("STOPPING");
      return invoke(request);
    },
    findKeyed: (key) => findKeyed(key, parts),
    async fork(request) {
      if (state === "stopping" || state === "closed") throw fail("STOPPING");
      return forkExecution(request, await queries.findExecution(request), parts);
    },
    ready: () => state === "open",
    async start() {
      await store.releaseOthers({ worker: keeper.worker });
      await store.settleEnded({ executionId: null });
      leases = keepLeases(parts);
      timers.push(leases, expireKeys(parts), keepRetention({ ...parts, endShort: queries.endShort }), waiting);
      state = "open";
      claims.wake();
      wakeFunded(parts).catch(parts.report);
      await waiting.start();
    },
    stopWorkflow(workflowId) {
      for (const run of live.all()) if (run.call.workflow.id === workflowId) stopRun(run, deleted(), parts);
    },
    async stop(graceMs) {
      if (state === "closed" || state === "stopping") return;
      state = "stopping";
      claims.close();
      admission.drain();
      await sendAway(live);
      const end = Date.now() + graceMs;
      while (!isIdle() && Date.now() < end) await sleep(STOP_LOOK_MS);
      state = "closed";
      parts.ledger.close();
      for (const timer of timers) timer.close();
      await letGo(parts);
    },
  };
}
