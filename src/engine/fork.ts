import { createHash, randomUUID, randomUUIDv7 } from "node:crypto";
import { type CtxData, fail, type JournalRecord, toWorkflowError } from "../../runtime/index.ts";
import { canonical } from "../cache/canonical.ts";
import type { Execution, NewExecution, Workflow } from "../store/store.ts";
import { budgetOf } from "./budgets/execution-budget.ts";
import { checkPools, poolKey } from "./budgets/payer.ts";
import { leastMs } from "./call.ts";
import { setPaths } from "./data-paths.ts";
import { pinsOf } from "./datastores/attach.ts";
import type { ForkRequest } from "./fork-request.ts";
import { gatesOf } from "./gates.ts";
import { findKeyed, keyConflict } from "./idempotency.ts";
import { checkInput } from "./input-check.ts";
import { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { Plan } from "./plans.ts";
import { countWaiting, discard } from "./queue.ts";
import { redactJson } from "./redact.ts";
import { type CallSecrets, namesOf, secretsAgain } from "./secrets/call-secrets.ts";
import { findVersionByNumber } from "./target.ts";

/** Taken-over calls cost the fork nothing: only what follows is paid. */
function unpaid(record: JournalRecord, seq: number): JournalRecord {
  const { meter } = record;
  return { ...record, seq, meter: meter && { ...meter, promptTokens: 0, completionTokens: 0, costUsd: 0 } };
}

/** The `id` in a JSON text that a call took or gave; null when there is none. */
function idIn(json: string | null): string | null {
  const value: unknown = JSON.parse(json ?? "null");
  const id = typeof value === "object" && value !== null && "id" in value ? value.id : null;
  return typeof id === "string" ? id : null;
}

/** Position of the first question below `at` whose decision is not taken over: it belongs to the origin, so the fork asks its own. */
function firstUndecided(journal: readonly JournalRecord[], at: number): number {
  const taken = journal.filter(({ pos, kind }) => pos < at && kind === "result");
  const decided = new Set(taken.map(({ op, args }) => (op === "approve" ? idIn(args) : null)));
  const open = taken.filter(({ op, payload }) => op === "approve.request" && !decided.has(idIn(payload)));
  return Math.min(...open.map(({ pos }) => pos), Number.POSITIVE_INFINITY);
}

function prefixOf(journal: readonly JournalRecord[], asked: number | null): { at: number; records: JournalRecord[] } {
  const calls = journal.reduce((most, { pos }) => Math.max(most, pos + 1), 0);
  const upTo = asked ?? calls;
  if (!Number.isInteger(upTo) || upTo < 0 || upTo > calls) {
    const message = `at: must be a whole number from 0 to ${calls} (the recorded ctx calls), got ${upTo}`;
    throw fail("INVALID_REQUEST", { message, param: "at", limit: "at", value: upTo });
  }
  const at = Math.min(upTo, firstUndecided(journal, upTo));
  // A call is posted before all later ones: those below `at` cannot depend on what came to the others.
  const records = journal.filter(({ pos }) => pos < at).map(unpaid);
  return { at, records };
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
  readonly idempotencyKey: string | null;
  /** Name of the API key whose daily pool pays; null = none. */
  readonly key: string | null;
  readonly workflow: Workflow;
  readonly plan: Plan;
  readonly data: CtxData;
  readonly secrets: CallSecrets;
  /** True when the caller brought some: they are nowhere else. */
  readonly givesSecrets: boolean;
}

/** The limits of the origin, of which nothing is spent yet. */
function budgetLike({ budget }: Execution, { plan, key }: Made): NewExecution["budget"] {
  return budgetOf({
    config: plan.config.budget,
    asked: budget?.limits ?? null,
    key,
    parent: null,
  });
}

function toExecution(origin: Execution, made: Made): NewExecution {
  const { workflow, plan, data, secrets, givesSecrets, idempotencyKey } = made;
  const text = JSON.stringify(data);
  const shown = redactJson(text, secrets.hidden);
  const { accountId, workflowId, sessionId, depth, seed } = origin;
  const now = Date.now();
  return {
    id: randomUUIDv7(),
    accountId,
    workflowId,
    versionId: plan.version.id,
    ref: workflow.ref,
    mode: "background",
    data: shown,
    hasSecrets: givesSecrets || shown !== text,
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
    idempotencyKey,
    budget: budgetLike(origin, made),
  };
}

/** Start of the guest's clock in the origin. */
async function clockOf({ id, state, createdAt }: Execution, { store }: Parts): Promise<number> {
  const startedAt = "startedAt" in state ? state.startedAt : null;
  return (await store.findFork({ executionId: id }))?.clockAt ?? startedAt ?? createdAt;
}

/** Secrets are only in memory, and so is a fork that has some, until it has begun; OVERLOADED when too many wait. */
function keepInMemory(execution: NewExecution, made: Made, clockAt: number, parts: Parts): LiveRun {
  const { workflow, plan, data, secrets } = made;
  const policy = { keep: "never", ttlMs: 0 } as const;
  const shared = { execution, workflow, plan, ...secrets, policy, parent: null, key: execution.id };
  const run = new LiveRun({ ...shared, data: JSON.stringify(data), onDisconnect: "continue" }, parts.keeper, "bypass");
  countWaiting(run, parts);
  run.phase = "queued";
  run.resumed = true;
  run.clockAt = clockAt;
  parts.live.add(run);
  return run;
}

/** What the origin could read stays as the origin saw it; what only this version reads is as it is now. */
async function pinnedAgain(origin: Execution, plan: Plan, { store }: Parts): Promise<Pick<CtxData, "datastores">> {
  const { datastores } = JSON.parse(origin.data) as CtxData;
  const pins = { ...(await pinsOf(origin.accountId, plan.datastores, store)), ...datastores };
  return Object.keys(pins).length === 0 ? {} : { datastores: pins };
}

async function make(request: ForkRequest, origin: Execution, parts: Parts): Promise<Made> {
  const { accountId, workflowId } = origin;
  const workflow = await parts.store.findWorkflow({ accountId, key: workflowId });
  if (workflow === null) throw fail("EXECUTION_NOT_FOUND", { id: origin.id });
  const plan = await planFor(origin, workflow, request.version, parts);
  const {
    secret_names: _names,
    secret_handles: _handles,
    inherited_secrets: _inherited,
    inherited_handles: _texts,
    datastores: _pins,
    ...data
  } = setPaths(JSON.parse(origin.data) as CtxData, request.set);
  if (Object.keys(request.set).some((path) => path.split(".")[0] === "input"))
    checkInput({ workflow, plan }, data.input);
  const owner = { accountId, ref: workflow.ref, seed: origin.seed };
  const secrets = secretsAgain(owner, JSON.parse(origin.data) as CtxData, request.secrets, parts.secrets);
  const pinned = { ...(await pinnedAgain(origin, plan, parts)), ...data };
  return {
    workflow,
    plan,
    secrets,
    givesSecrets: Object.keys(request.secrets).length > 0,
    data: { ...pinned, ...namesOf(secrets) },
    idempotencyKey: request.idempotencyKey,
    key: poolKey(request, parts.ledger),
  };
}

/** What a key of a fork stands for; values of secrets never count. */
function hashOf({ executionId, at, version, set }: ForkRequest): string {
  return createHash("sha256")
    .update(canonical([executionId, at, version, set]))
    .digest("hex");
}

/** The fork that an idempotency key stands for, or null when the key is new or too old; CONFLICT when it was used for another request. */
async function joinKeyed(request: ForkRequest, idempotencyKey: string, parts: Parts): Promise<string | null> {
  const known = await findKeyed({ accountId: request.accountId, idempotencyKey }, parts);
  if (known === null) return null;
  const fork = await parts.store.findFork({ executionId: known.id });
  if (fork?.asked === hashOf(request)) return known.id;
  throw keyConflict(idempotencyKey, known.id);
}

async function startFork(request: ForkRequest, origin: Execution, parts: Parts): Promise<string> {
  const { store, claims, jobs } = parts;
  const made = await make(request, origin, parts);
  await checkPools(request, parts.ledger);
  const { at, records } = prefixOf(await store.readJournal({ executionId: origin.id }), request.at);
  const clockAt = await clockOf(origin, parts);
  const execution = toExecution(origin, made);
  const gates = gatesOf(execution, made.plan);
  await jobs.add(execution.accountId);
  const run = execution.hasSecrets ? keepInMemory(execution, made, clockAt, parts) : null;
  try {
    const fork = { originId: origin.id, at, clockAt, asked: request.idempotencyKey === null ? null : hashOf(request) };
    await store.enqueueFork({ execution, fork, records, gates: gates === null ? null : { ...gates, debounce: null } });
  } catch (error) {
    if (run !== null) await discard(run, error, parts);
    throw error;
  }
  claims.wake();
  return execution.id;
}

/** Starts an execution that shares the recorded beginning of another one and pays only for what follows; returns its id. A repeated idempotency key gives the first one's. */
export async function forkExecution(request: ForkRequest, origin: Execution, parts: Parts): Promise<string> {
  const { idempotencyKey } = request;
  if (idempotencyKey === null) return startFork(request, origin, parts);
  const joined = await joinKeyed(request, idempotencyKey, parts);
  if (joined !== null) return joined;
  try {
    return await startFork(request, origin, parts);
  } catch (thrown) {
    // Someone with the same key was faster.
    const first = toWorkflowError(thrown).code === "CONFLICT" ? await joinKeyed(request, idempotencyKey, parts) : null;
    if (first === null) throw thrown;
    return first;
  }
}
