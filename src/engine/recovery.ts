import { type CtxData, fail, toRecord } from "../../runtime/index.ts";
import { cacheKey } from "../cache/cache-key.ts";
import type { Execution, Fork } from "../store/store.ts";
import { cachePolicyOf } from "./call.ts";
import { pinsText } from "./datastores/attach.ts";
import { finishFailed } from "./finish.ts";
import { renewLeases } from "./lease-keeper.ts";
import { type Call, LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { resultOf } from "./result.ts";
import type { Runner } from "./runner.ts";
import { cancelled } from "./stopping.ts";

/** The stored secrets that it began with, in their order; null when one is not there any more. */
function storedAgain({ accountId, ref, hasSecrets }: Execution, names: readonly string[], parts: Parts) {
  if (hasSecrets || names.length === 0) return {};
  const stored = parts.secrets.secretsFor(accountId, ref);
  if (names.some((name) => stored[name] === undefined)) return null;
  return Object.fromEntries(names.map((name) => [name, stored[name] ?? ""]));
}

async function callOf(execution: Execution, fork: Fork | null, parts: Parts): Promise<Call & { hasAll: boolean }> {
  const { store, planOf, settings, live } = parts;
  const { accountId, versionId, workflowId, data } = execution;
  const workflow = await store.findWorkflow({ accountId, key: workflowId });
  const version = await store.findVersion({ accountId, versionId });
  if (workflow === null || version === null)
    throw new Error(`execution ${execution.id} has lost its workflow or version`);
  const plan = planOf(version);
  const keep = execution.cacheKey === null ? "no-store" : "default";
  const { input, messages, params, metadata, datastores, secret_names: names = [] } = JSON.parse(data) as CtxData;
  const found = storedAgain(execution, names, parts);
  const secrets = found ?? {};
  const body = { input, messages, params, metadata, secrets };
  return {
    execution,
    workflow,
    plan,
    data,
    secrets,
    hidden: secrets,
    hasAll: found !== null,
    // A fork is nobody's twin: its beginning is another one's.
    key:
      fork === null
        ? (execution.cacheKey ??
          cacheKey({
            versionId,
            envRevision: workflow.envRevision,
            datastores: pinsText(datastores),
            ...body,
          }))
        : execution.id,
    policy: cachePolicyOf({ workflow, plan }, keep, settings),
    onDisconnect: plan.config.onDisconnect,
    parent: execution.parentId === null ? null : live.get(execution.parentId),
  };
}

function begin(run: LiveRun, execution: Execution, runner: Runner): void {
  if (execution.state.status === "running") run.startedAt = execution.state.startedAt;
  run.row.adopt(execution.fence);
  run.retries = execution.retries;
  run.timeoutFrom = execution.resumedAt;
  run.isGated = execution.isGated;
  run.hasPlace = execution.parentId === null;
  runner.start(run);
}

/** True when the execution that called it is over or gone: nobody wants its result. */
async function isOrphan({ accountId, parentId }: Execution, { store, live }: Parts): Promise<boolean> {
  if (parentId === null || live.get(parentId) !== null) return false;
  const parent = await store.findExecution({ accountId, executionId: parentId });
  return parent === null || resultOf(parent, false) !== null;
}

/** Begins an execution that another process left behind. */
async function recover(execution: Execution, parts: Parts, runner: Runner): Promise<void> {
  const { live, keeper } = parts;
  const fork = await parts.store.findFork({ executionId: execution.id });
  const { hasAll, ...call } = await callOf(execution, fork, parts);
  const run = new LiveRun(call, keeper, call.policy.keep === "never" ? "bypass" : "miss");
  run.resumed = true;
  run.isGated = execution.isGated;
  live.add(run);
  if (execution.hasSecrets || !hasAll) {
    run.row.adopt(execution.fence);
    run.hasPlace = execution.parentId === null;
    await finishFailed(run, toRecord(fail("SECRETS_LOST")), parts);
    return;
  }
  if (await isOrphan(execution, parts)) {
    run.row.adopt(execution.fence);
    await finishFailed(run, cancelled(), parts);
    return;
  }
  run.clockAt = fork?.clockAt ?? null;
  begin(run, execution, runner);
  // Someone may have asked to stop it while nobody ran it.
  const { lease } = run.row;
  if (lease !== null) await renewLeases([{ run, lease }], parts).catch(parts.report);
}

/** An execution that cannot even be begun ends here: it would be claimed again and again. */
async function giveUp(
  execution: Execution,
  error: unknown,
  { store, admission, claims, report }: Parts,
): Promise<void> {
  report(error);
  if (execution.parentId === null) admission.release(execution.accountId);
  const ending = { status: "failed", error: toRecord(fail("INTERNAL", {}, error)) } as const;
  const lease = { executionId: execution.id, fence: execution.fence };
  await store.completeExecution({ lease, ending, usage: execution.usage, chunks: [], logs: [], now: Date.now() });
  if (execution.isGated) claims.wake();
}

/** Goes on with an execution that was claimed: one of this process, or one that another process left behind. */
export function acceptClaimed(execution: Execution, parts: Parts, runner: Runner): void {
  const run = parts.live.get(execution.id);
  if (run?.phase === "running") {
    // The lease ran out while the machine stood still; nobody else took it.
    run.row.adopt(execution.fence);
    return;
  }
  if (run !== null && run.phase !== "queued" && run.phase !== "parked") return;
  if (execution.parentId === null) parts.admission.take(execution.accountId);
  if (run !== null) begin(run, execution, runner);
  else recover(execution, parts, runner).catch((error: unknown) => giveUp(execution, error, parts).catch(parts.report));
}
