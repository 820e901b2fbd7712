import { type ErrorRecord, type ExecutionOutcome, fail, REJECTION, toRecord } from "../../runtime/index.ts";
import { finishCompleted, finishFailed, giveUpPlace, reconcile } from "./finish.ts";
import { charge, createHost, type InvokeNested } from "./host.ts";
import { type Replay, toJob } from "./job.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { toShort } from "./result.ts";
import { endOrRetry } from "./retry.ts";
import { timeoutError } from "./stopping.ts";

type Lost = Extract<ExecutionOutcome, { status: "lost" }>;
type Waiting = Extract<ExecutionOutcome, { status: "waiting" }>;

/** Deliveries from which on it matters how a replay is fed. */
const LONG = 64;
/** Hosts that may be lost under an execution that was not to blame. */
const MAX_LOSSES = 20;
/** Losses after which even an execution that was not to blame gets a host of its own. */
const LOSSES_BEFORE_ALONE = 3;

/** Runs executions from a lease to their end or until they wait. */
export interface Runner {
  /** Begins or goes on; never throws. */
  start(run: LiveRun): void;
}

/** Why a run must not be started, or null. */
function obstacle(run: LiveRun): ErrorRecord | null {
  if (run.stopping !== null) return run.stopping;
  return run.deadlineAt !== null && Date.now() >= run.deadlineAt ? timeoutError(run) : null;
}

/** True when a promise may have been left rejected, which the log tells. */
const mayReject = ({ id }: LiveRun, store: Parts["store"]) =>
  store.mayHaveLog({ executionId: id, beginning: REJECTION });

async function readReplay(run: LiveRun, { store }: Parts): Promise<Replay> {
  if (!run.resumed) return { records: [], isCalm: false };
  // What the last attempt recorded without needing it durable is part of what is replayed.
  run.row.start();
  const records = await store.readReplay({ executionId: run.id });
  run.dropped = await store.droppedUsage({ executionId: run.id });
  run.spentOps = 0;
  run.spentUsd = run.dropped.costUsd;
  run.spentPromptTokens = run.dropped.promptTokens;
  run.spentCompletionTokens = run.dropped.completionTokens;
  charge(run, records);
  return { records, isCalm: records.length >= LONG && run.losses === 0 && !(await mayReject(run, store)) };
}

/** Decides whether a lost run begins again: the error it ends with, or null to go on. */
function judgeLoss(run: LiveRun, { suspect, cause }: Lost, { strikes, report }: Parts): ErrorRecord | null {
  run.losses++;
  if (suspect) {
    strikes.add(run.call.plan.version.id);
    if (run.alone) return cause;
  }
  run.alone ||= suspect || run.losses >= LOSSES_BEFORE_ALONE || strikes.isOut(run.call.plan.version.id);
  if (run.losses <= MAX_LOSSES) return null;
  report(new Error(`host processes were lost ${run.losses} times under execution ${run.id}`));
  return toRecord(fail("INTERNAL"));
}

async function park(run: LiveRun, rest: Waiting, parts: Parts): Promise<void> {
  run.attempt++;
  run.waits?.clear();
  run.resumed = true;
  run.share(null);
  const shortage = rest.isShort ? run.lacks : null;
  const parking = run.row.park({ ...rest, shortage });
  run.phase = "parked";
  giveUpPlace(run, parts);
  if (run.isGated) parts.claims.wake();
  const parked = await parking;
  if (parked === "lost") return reconcile(run, parts);
  if (parked === "ready") parts.claims.wake();
  else if (rest.until !== null) parts.claims.due(rest.until);
  if (parked === "parked" && shortage !== null && run.phase === "parked")
    run.tellShort(shortage, toShort(shortage, run.id));
  if (run.phase === "parked" && run.isForgettable) parts.live.remove(run);
}

/** A run that an idempotency key stands for begins once the key is durable: whoever repeats the call after a crash finds it. False when the row was refused. */
async function isOnDisk({ call, resumed, row }: LiveRun): Promise<boolean> {
  if (call.execution.idempotencyKey === null || resumed) return true;
  return row.stored().then(
    () => true,
    () => false,
  );
}

async function failUnexpectedly(run: LiveRun, error: unknown, parts: Parts): Promise<void> {
  if (run.detached) return;
  parts.report(error);
  await endOrRetry(run, toRecord(fail("INTERNAL", {}, error)), parts);
}

/** An outcome with what earlier attempts used and the journal no longer says. */
function withDropped(outcome: ExecutionOutcome, { resumed, dropped }: LiveRun): ExecutionOutcome {
  if (!resumed || !("usage" in outcome)) return outcome;
  const { promptTokens, completionTokens, costUsd, ...rest } = outcome.usage;
  const usage = {
    ...rest,
    promptTokens: promptTokens + dropped.promptTokens,
    completionTokens: completionTokens + dropped.completionTokens,
    costUsd: costUsd + dropped.costUsd,
  };
  return { ...outcome, usage };
}

/** Makes the runner of one engine. */
export function createRunner(parts: Parts, invokeNested: InvokeNested): Runner {
  const { runtime, strikes } = parts;

  /** True when the run must be tried again. */
  const settleOutcome = async (run: LiveRun, outcome: ExecutionOutcome): Promise<boolean> => {
    if ("keepsTail" in outcome && outcome.keepsTail) run.row.keepTail();
    switch (outcome.status) {
      case "completed":
        if (run.alone) strikes.forgive(run.call.plan.version.id);
        await finishCompleted(run, outcome, parts);
        return false;
      case "failed":
        // A script that is stopped fails in its own way: what counts is why it was stopped.
        await endOrRetry(run, obstacle(run) ?? outcome.error, parts, outcome.usage);
        return false;
      case "waiting": {
        // Asked to stop while it parked: nobody would tell it before it wakes.
        const error = obstacle(run);
        if (error === null) await park(run, outcome, parts);
        else await finishFailed(run, error, parts, outcome.usage);
        return false;
      }
      case "lost": {
        const error = judgeLoss(run, outcome, parts);
        if (error !== null) await endOrRetry(run, error, parts);
        run.resumed = true;
        return error === null;
      }
    }
  };

  const attempt = async (run: LiveRun): Promise<boolean> => {
    const replay = await readReplay(run, parts);
    const error = obstacle(run);
    if (error !== null) {
      await finishFailed(run, error, parts);
      return false;
    }
    if (!(await isOnDisk(run))) {
      await reconcile(run, parts);
      return false;
    }
    run.attempt++;
    const host = createHost(run, parts, invokeNested);
    const outcome = await runtime.run(toJob(run, replay, parts), host).finally(host.leave);
    if (run.detached) return false;
    if (!run.leaseLost) return settleOutcome(run, withDropped(outcome, run));
    await reconcile(run, parts);
    return false;
  };

  const drive = async (run: LiveRun) => {
    try {
      while (await attempt(run));
    } catch (error) {
      await failUnexpectedly(run, error, parts);
    }
  };

  return {
    start(run) {
      run.begin();
      // Of a version that is known to be impure nobody waits for anybody.
      run.tellsImpure = run.call.plan.isPure !== false;
      run.alone ||= strikes.isOut(run.call.plan.version.id);
      if (run.row.lease === null) {
        run.startedAt = Date.now();
        run.row.hold(run.startedAt);
      }
      drive(run).catch(parts.report);
    },
  };
}
