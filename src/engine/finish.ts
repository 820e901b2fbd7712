import {
  type ErrorRecord,
  type ExecutionOutcome,
  fail,
  toRecord,
  toWorkflowError,
  type Usage,
  type WorkflowError,
} from "../../runtime/index.ts";
import type { CachedResult, Ending } from "../store/store.ts";
import type { ExecutionResult } from "./engine.ts";
import { followStored } from "./follow-stored.ts";
import { locateError } from "./guest-error.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { redactJson } from "./redact.ts";
import { NO_USAGE, toCompleted, toFailed } from "./result.ts";
import { storedValues } from "./secrets/call-secrets.ts";
import { cancelled, deleted, stopRun, stopWaitingChildren } from "./stopping.ts";

type Completed = Extract<ExecutionOutcome, { status: "completed" }>;

interface End {
  readonly ending: Ending;
  readonly result: ExecutionResult;
  readonly usage: Usage;
  /** What later calls may have; null = nothing. */
  readonly cached: CachedResult | null;
}

function leave(run: LiveRun, parts: Parts): void {
  parts.live.remove(run);
  for (const child of run.children) stopRun(child, cancelled(), parts);
  giveUpPlace(run, parts);
}

/** Of a resumed execution, children may wait that this process does not know of. */
function stopForgotten(run: LiveRun, parts: Parts): void {
  if (run.resumed) stopWaitingChildren(run.call.execution.accountId, run.id, parts).catch(parts.report);
}

/** Gives back the place of an execution that no longer runs. */
export function giveUpPlace(run: LiveRun, parts: Parts): void {
  if (!run.hasPlace) return;
  run.hasPlace = false;
  parts.admission.release(run.call.execution.accountId);
}

function toCached(run: LiveRun, output: string, pure: boolean): CachedResult | null {
  const { policy, hidden, plan } = run.call;
  const chunks = run.log.all;
  const isShareable = policy.ttlMs > 0 && chunks !== null && redactJson(output, hidden) === output;
  if (policy.keep !== "never" || !pure) plan.isPure = pure && isShareable;
  const keep = policy.keep === "always" || (policy.keep === "pure" && pure);
  if (!keep || !isShareable) return null;
  const createdAt = Date.now();
  return { executionId: run.id, output, chunks, createdAt, expiresAt: createdAt + policy.ttlMs };
}

function remember(run: LiveRun, result: CachedResult, parts: Parts): void {
  const { key, workflow, execution } = run.call;
  // A result that cannot be kept is only slower next time.
  const entry = { workflowId: workflow.id, result, memoryOnly: execution.hasSecrets };
  parts.cache.write(key, entry).catch(parts.report);
}

async function store(run: LiveRun, end: End, parts: Parts): Promise<void> {
  const { ending, usage } = end;
  // Whatever is still set aside is spent: nobody will tell what became of those calls.
  if (run.spends || run.resumed) parts.ledger.end(run.id);
  const stored = run.row.end({ ending, usage, startedAt: run.startedAt, finishedAt: Date.now() });
  if (run.isGated) parts.claims.wake();
  if (end.cached !== null) remember(run, end.cached, parts);
  run.share(end.cached);
  if (await stored) await run.settle(end.result);
  else await reconcile(run, parts);
}

/** Someone else ended the execution, holds it or deleted it: what the store says is what happened. */
export async function reconcile(run: LiveRun, parts: Parts): Promise<void> {
  leave(run, parts);
  const { accountId, id } = run.call.execution;
  const result = await followStored(accountId, id, { ...parts, isStopping: () => run.detached });
  await run.settle(result ?? toFailed(deleted()));
}

/** What is told of an execution whose end could not be stored. It ran: whoever calls again would run it twice. */
function notRecorded(error: unknown): WorkflowError {
  const { code, message } = toWorkflowError(error);
  if (code !== "OVERLOADED") return fail("INTERNAL", {}, error);
  return fail("EXECUTION_FAILED", { message: `The execution is over, but could not be recorded: ${message}` }, error);
}

async function finish(run: LiveRun, end: End, parts: Parts): Promise<void> {
  run.attempt++;
  leave(run, parts);
  try {
    await store(run, end, parts);
    stopForgotten(run, parts);
  } catch (error) {
    parts.report(error);
    await run.settle(toFailed(toRecord(notRecorded(error))));
  }
}

/** Stores the end of an execution that failed or was cancelled, then tells its callers. */
export async function finishFailed(
  run: LiveRun,
  raw: ErrorRecord,
  parts: Parts,
  usage: Usage = run.spent,
): Promise<void> {
  const error = await locateError(raw, run.call.plan.version, parts.store).catch((thrown: unknown) => {
    parts.report(thrown);
    return raw;
  });
  const result = toFailed(error);
  run.used = usage;
  await finish(run, { ending: result, result, usage, cached: null }, parts);
}

/** Stores the end of an execution that returned, keeps its result where the rules allow, then tells its callers. */
export async function finishCompleted(run: LiveRun, outcome: Completed, parts: Parts): Promise<void> {
  const { usage, pure } = outcome;
  const output = outcome.output ?? JSON.stringify(await run.log.text());
  const { hidden, stored } = run.call;
  // Callers get what the script returned, but no secret that is not theirs; the store never sees one.
  const told = Object.keys(stored).length === 0 ? output : redactJson(output, storedValues(run.call));
  const ending = { status: "completed", output: redactJson(output, hidden), cached: false } as const;
  const result = toCompleted(told, usage, run.log.sawText);
  await finish(run, { ending, result, usage, cached: toCached(run, output, pure) }, parts);
}

/** Answers a call from a cached result: still an execution, that cost nothing. */
export async function finishCached(run: LiveRun, cached: CachedResult, parts: Parts): Promise<void> {
  run.cache = "hit";
  run.phase = "running";
  run.row.addOutput(run.log.add(cached.chunks), []);
  const output = cached.output ?? "null";
  const ending = { status: "completed", output, cached: true, resultOf: cached.executionId } as const;
  const result = toCompleted(output, NO_USAGE, run.log.sawText);
  await finish(run, { ending, result, usage: NO_USAGE, cached: null }, parts);
}
