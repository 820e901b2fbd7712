import { randomUUID, randomUUIDv7 } from "node:crypto";
import { type CtxData, fail, type JournalRecord } from "../../runtime/index.ts";
import type { Execution, NewExecution, Workflow } from "../store/store.ts";
import { leastMs } from "./call.ts";
import { setPaths } from "./data-paths.ts";
import type { ForkRequest } from "./fork-request.ts";
import { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { Plan } from "./plans.ts";
import { redactJson } from "./redact.ts";
import { findVersionByNumber } from "./target.ts";

/** Taken-over calls cost the fork nothing: only what follows is paid. */
function unpaid(record: JournalRecord, seq: number): JournalRecord {
  const { meter } = record;
  return { ...record, seq, meter: meter && { ...meter, promptTokens: 0, completionTokens: 0, costUsd: 0 } };
}

function prefixOf(journal: readonly JournalRecord[], asked: number | null): { at: number; records: JournalRecord[] } {
  const calls = journal.reduce((most, { pos }) => Math.max(most, pos + 1), 0);
  const at = asked ?? calls;
  if (!Number.isInteger(at) || at < 0 || at > calls) {
    const message = `at: must be a whole number from 0 to ${calls} (the recorded ctx calls), got ${at}`;
    throw fail("INVALID_REQUEST", { message, param: "at", limit: "at", value: at });
  }
  // A call is posted before all later ones: those below `at` cannot depend on what came to the others.
  const records = journal.filter(({ pos }) => pos < at).map(unpaid);
  return { at, records };
}

function checkSecrets(data: CtxData, secrets: ForkRequest["secrets"]): void {
  const missing = (data.secret_names ?? []).filter((name) => !Object.hasOwn(secrets, name));
  if (missing.length === 0) return;
  const message = `secrets: ${missing.join(", ")} must be given again: values of secrets are never stored`;
  throw fail("INVALID_REQUEST", { message, param: "secrets", missing });
}

async function planFor(origin: Execution, workflow: Workflow, version: string | null, parts: Parts): Promise<Plan> {
  const { accountId, versionId } = origin;
  const found = await (version === null
    ? parts.store.findVersion({ accountId, versionId })
    : findVersionByNumber(parts.store, workflow, version));
  if (found === null) throw fail("VERSION_NOT_FOUND", { ref: workflow.ref, version: version ?? versionId });
  return parts.planOf(found);
}

interface Made {
  readonly workflow: Workflow;
  readonly plan: Plan;
  readonly data: CtxData;
}

function toExecution(origin: Execution, { workflow, plan, data }: Made, request: ForkRequest): NewExecution {
  const { accountId, workflowId, sessionId, depth, seed } = origin;
  const now = Date.now();
  return {
    id: randomUUIDv7(),
    accountId,
    workflowId,
    versionId: plan.version.id,
    ref: workflow.ref,
    mode: "background",
    data: redactJson(JSON.stringify(data), request.secrets),
    hasSecrets: Object.keys(request.secrets).length > 0,
    sessionId,
    requestId: randomUUID(),
    parentId: null,
    parentPos: null,
    depth,
    // The seed of the origin: the calls that are taken over may be made of its randomness.
    seed,
    priority: 0,
    createdAt: now,
    runAt: now,
    timeoutMs: leastMs(workflow.timeoutMs, plan.config.timeoutMs),
    cacheKey: null,
    idempotencyKey: null,
  };
}

/** Starts an execution that shares the recorded beginning of another one and pays only for what follows; returns its id. */
export async function forkExecution(request: ForkRequest, origin: Execution, parts: Parts): Promise<string> {
  const { store, live, keeper, claims } = parts;
  const { accountId, workflowId } = origin;
  const workflow = await store.findWorkflow({ accountId, key: workflowId });
  if (workflow === null) throw fail("EXECUTION_NOT_FOUND", { id: origin.id });
  const plan = await planFor(origin, workflow, request.version, parts);
  const data = setPaths(JSON.parse(origin.data) as CtxData, request.set);
  checkSecrets(data, request.secrets);
  const { at, records } = prefixOf(await store.readJournal({ executionId: origin.id }), request.at);
  const startedAt = "startedAt" in origin.state ? origin.state.startedAt : null;
  const clockAt = (await store.findFork({ executionId: origin.id }))?.clockAt ?? startedAt ?? origin.createdAt;
  const execution = toExecution(origin, { workflow, plan, data }, request);
  const call = {
    execution,
    workflow,
    plan,
    data: JSON.stringify(data),
    secrets: request.secrets,
    hidden: request.secrets,
    key: execution.id,
    policy: { keep: "never", ttlMs: 0 },
    onDisconnect: "continue",
    parent: null,
  } as const;
  const run = new LiveRun(call, keeper, "bypass");
  run.phase = "queued";
  run.resumed = true;
  run.clockAt = clockAt;
  live.add(run);
  try {
    await store.enqueueFork({ execution, fork: { originId: origin.id, at, clockAt }, records });
  } catch (error) {
    live.remove(run);
    throw error;
  }
  claims.wake();
  return execution.id;
}
