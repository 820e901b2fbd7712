import {
  type ErrorRecord,
  fail,
  fromRecord,
  type NestedCall,
  type NestedParked,
  type NestedResult,
  toRecord,
  type Usage,
} from "../../runtime/index.ts";
import type { Execution, Shortage } from "../store/store.ts";
import { AGENT_REF } from "./agents/built-in-script.ts";
import { currentShortage } from "./budgets/create-budgets.ts";
import { cachePolicyOf, createCall, leastMs } from "./call.ts";
import { toCompletion } from "./completion.ts";
import type { ExecutionResult } from "./engine.ts";
import { finishCached } from "./finish.ts";
import { followStored, shortageOf } from "./follow-stored.ts";
import type { InvokeNested } from "./host.ts";
import { checkInput } from "./input-check.ts";
import { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { NESTED_PRIORITY } from "./priority.ts";
import { NO_USAGE, toFailed } from "./result.ts";
import type { Runner } from "./runner.ts";
import { cancelled, stopRun } from "./stopping.ts";
import { findTarget, type PinnedTarget } from "./target.ts";

type Facts = Pick<Execution, "id" | "createdAt" | "sessionId" | "requestId" | "ref">;

const MODEL = /^workflow:([^@]+)(?:@(.+))?$/;

/** The child's error as the parent's script sees it: without the stack of code that is not its own, with what the child used. */
function childError({ details, ...error }: ErrorRecord, { id, ref }: Facts, used: Usage): Error {
  const { stack: _stack, usage: _deeper, ...rest } = details;
  const { promptTokens, completionTokens, costUsd } = used;
  const isFree = promptTokens + completionTokens + costUsd === 0;
  const usage = isFree ? {} : { usage: { promptTokens, completionTokens, costUsd } };
  return fromRecord({ ...error, details: { ...rest, ...usage, workflow: ref, execution_id: id } });
}

interface Ended {
  readonly result: ExecutionResult;
  /** What it used if it failed. */
  readonly used: Usage;
}

const endOf = async (run: LiveRun): Promise<Ended> => ({ result: await run.result, used: run.used ?? NO_USAGE });

/** What its child lacks, its caller lacks. */
function toParked(parent: LiveRun, shortage: Shortage): NestedParked {
  parent.lacks = shortage;
  return { parked: { until: shortage.until, since: shortage.revision } };
}

/** How a call is named in what it returns. */
interface Called {
  readonly parent: LiveRun;
  readonly facts: Facts;
  readonly model: string;
}

function toNestedResult({ result, used }: Ended, { parent, facts, model }: Called): NestedResult | NestedParked {
  if (result.status !== "completed" && result.shortage !== undefined) return toParked(parent, result.shortage);
  if (result.status !== "completed") throw childError(result.error, facts, used);
  const { id: executionId, createdAt, sessionId, requestId } = facts;
  const { promptTokens, completionTokens, costUsd } = result.usage;
  const body = toCompletion({ executionId, createdAt, model, sessionId, requestId, result });
  return { body, promptTokens, completionTokens, costUsd };
}

function checkNesting(parent: LiveRun, { limits, settings }: Parts): void {
  const depth = parent.call.execution.depth + 1;
  if (depth > limits.maxNesting) {
    const message = `nesting: ${depth} levels of workflows, over ${limits.maxNesting} (maxNesting)`;
    throw fail("LIMIT_EXCEEDED", { message, limit: "maxNesting", value: depth });
  }
  const count = ++parent.outermost.descendants;
  if (count <= settings.maxNested) return;
  const message = `nesting: ${count} nested executions below one call, over ${settings.maxNested} (WEFT_MAX_NESTED)`;
  throw fail("LIMIT_EXCEEDED", { message, limit: "maxNested", value: count });
}

async function findNested(accountId: string, model: string, parts: Parts): Promise<PinnedTarget> {
  const [, ref, version = null] = MODEL.exec(model) ?? [];
  // The workflow of an agent is made when it is first called.
  if (ref?.startsWith(AGENT_REF)) await parts.agents.toCall({ accountId, key: ref.slice(AGENT_REF.length) });
  if (ref !== undefined) return findTarget({ accountId, ref, version }, parts);
  const message = `model: must be "workflow:<ref>" or "workflow:<ref>@<version>", got ${JSON.stringify(model)}`;
  throw fail("INVALID_ARGUMENT", { message });
}

function createChild(parent: LiveRun, call: NestedCall, target: PinnedTarget, parts: Parts): LiveRun {
  const { plan, workflow } = target;
  const { messages = [], input, metadata, secrets, sessionId, parentPos } = call;
  checkInput(target, input);
  const { accountId, requestId } = parent.call.execution;
  const left = parent.deadlineAt === null ? null : Math.max(1, parent.deadlineAt - Date.now());
  const created = createCall(
    target,
    { input, messages, params: {}, metadata, secrets },
    {
      accountId,
      mode: "nested",
      granted: parts.secrets.granted(accountId, workflow.ref),
      sessionId,
      requestId,
      budget: null,
      key: null,
      timeoutMs: leastMs(left, workflow.timeoutMs, plan.config.timeoutMs),
      idempotencyKey: null,
      priority: NESTED_PRIORITY,
      runAt: null,
      onDisconnect: "continue",
      policy: cachePolicyOf(target, call.noCache ? "no-store" : "default", parts.settings),
      parent,
      parentPos,
    },
  );
  return new LiveRun(created, parts.keeper, created.policy.keep === "never" ? "bypass" : "miss");
}

/** Ends a child whose parent ended first: it might wait for ever. */
async function stopOrphan({ accountId, id: executionId }: Execution, parts: Parts): Promise<void> {
  const run = parts.live.get(executionId);
  if (run !== null) stopRun(run, cancelled(), parts);
  else await parts.store.cancelExecution({ accountId, executionId, now: Date.now(), error: cancelled() });
}

/** Joins an execution of this process. */
async function joinLive(parent: LiveRun, child: LiveRun, model: string, parts: Parts) {
  const { call, id: executionId } = child;
  const lacks = { accountId: call.execution.accountId, executionId };
  // What was given since it parked may have been for others: then nobody wakes it.
  const shortage = child.shortage === null ? null : await currentShortage(lacks, parts);
  if (shortage !== null) return toParked(parent, shortage);
  return toNestedResult(await endOf(child), { parent, facts: call.execution, model });
}

/** Joins an execution that an earlier life of the parent started. */
async function joinStored(
  parent: LiveRun,
  child: Execution,
  call: NestedCall,
  parts: Parts,
): Promise<NestedResult | NestedParked> {
  const known = parts.live.get(child.id);
  // It may have been claimed before its parent was.
  if (known !== null) parent.children.add(known);
  if (known !== null) return joinLive(parent, known, call.model, parts);
  const open = child.state.status === "running" || child.state.status === "queued";
  if (open) parts.claims.wake();
  const isStopping = () => !parts.isOpen() || parent.phase === "over";
  const lacks = (execution: Execution) =>
    shortageOf(execution) && currentShortage({ accountId: child.accountId, executionId: child.id }, parts);
  const result = await followStored(child.accountId, child.id, { store: parts.store, isStopping, lacks });
  if (result === null && parent.phase === "over" && !parent.detached) await stopOrphan(child, parts);
  const gone = toRecord(fail("EXECUTION_NOT_FOUND", { id: child.id }));
  const used = (await parts.store.findExecution({ accountId: child.accountId, executionId: child.id }))?.usage;
  const ended = { result: result ?? toFailed(gone), used: used ?? NO_USAGE };
  return toNestedResult(ended, { parent, facts: child, model: call.model });
}

/** Makes the function that runs workflows for workflows: at once, without a place of their own. */
export function createNested(parts: Parts, runner: Runner): InvokeNested {
  const { live, store, cache } = parts;
  return async (parent, call) => {
    const join = (run: LiveRun) => joinLive(parent, run, call.model, parts);
    const known = live.child(parent.id, call.parentPos);
    if (known !== null) return join(known);
    const { parentPos } = call;
    const stored = parent.resumed ? await store.findChild({ parentId: parent.id, parentPos }) : null;
    if (stored !== null) return joinStored(parent, stored, call, parts);
    checkNesting(parent, parts);
    const target = await findNested(parent.call.execution.accountId, call.model, parts);
    const run = createChild(parent, call, target, parts);
    const cached = run.cache === "miss" ? await cache.read(run.call.key, Date.now()) : null;
    const twin = live.child(parent.id, parentPos);
    if (twin !== null) return join(twin);
    if (parent.phase !== "running") throw fail("CONFLICT", { message: "The execution that called has ended." });
    // A child must never be in the store without its parent: nobody would want its result after a crash.
    parent.row.start();
    live.add(run);
    if (cached === null) runner.start(run);
    else finishCached(run, cached, parts).catch(parts.report);
    return join(run);
  };
}
