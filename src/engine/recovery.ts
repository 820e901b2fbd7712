import { type CtxData, type ErrorRecord, fail, toRecord, toWorkflowError } from "../../runtime/index.ts";
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
import { type CallSecrets, NO_CALL_SECRETS, restoreSecrets, type SecretNames } from "./secrets/call-secrets.ts";
import { cancelled } from "./stopping.ts";

interface Found {
  readonly call: Call;
  /** Why it cannot go on: its secrets are gone, or cannot be read. */
  readonly lost: ErrorRecord | null;
}

function secretsOf(
  { accountId, ref, seed, hasSecrets }: Execution,
  names: SecretNames,
  parts: Parts,
): { readonly secrets: CallSecrets; readonly lost: ErrorRecord | null } {
  if (hasSecrets) return { secrets: NO_CALL_SECRETS, lost: toRecord(fail("SECRETS_LOST")) };
  try {
    return { secrets: restoreSecrets({ accountId, ref, seed }, names, parts.secrets), lost: null };
  } catch (thrown) {
    return { secrets: NO_CALL_SECRETS, lost: toRecord(toWorkflowError(thrown)) };
  }
}

async function callOf(execution: Execution, fork: Fork | null, parts: Parts): Promise<Found> {
  const { store, planOf, settings, live } = parts;
  const { accountId, versionId, workflowId, data } = execution;
  const workflow = await store.findWorkflow({ accountId, key: workflowId });
  const version = await store.findVersion({ accountId, versionId });
  if (workflow === null || version === null)
    throw new Error(`execution ${execution.id} has lost its workflow or version`);
  const plan = planOf(version);
  const keep = execution.cacheKey === null ? "no-store" : "default";
  const { input, messages, params, metadata, datastores, ...names } = JSON.parse(data) as CtxData;
  const { secrets, lost } = secretsOf(execution, names, parts);
  const body = { input, messages, params, metadata, secrets: {} };
  const call: Call = {
    execution,
    workflow,
    plan,
    data,
    ...secrets,
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
  return { call, lost };
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
  const { call, lost } = await callOf(execution, fork, parts);
  const run = new LiveRun(call, keeper, call.policy.keep === "never" ? "bypass" : "miss");
  run.resumed = true;
  run.isGated = execution.isGated;
  live.add(run);
  if (lost !== null) {
    run.row.adopt(execution.fence);
    run.hasPlace = execution.parentId === null;
    await finishFailed(run, lost, parts);
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
