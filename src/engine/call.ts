import { randomBytes, randomUUIDv7 } from "node:crypto";
import type { CtxData } from "../../runtime/index.ts";
import { cacheKey } from "../cache/cache-key.ts";
import type { Amounts, ExecutionMode } from "../store/store.ts";
import { budgetOf } from "./budgets/execution-budget.ts";
import { pinsText } from "./datastores/attach.ts";
import type { CacheMode, Invocation } from "./engine.ts";
import type { CachePolicy, Call, LiveRun } from "./live-run.ts";
import type { EngineSettings } from "./parts.ts";
import { redactJson } from "./redact.ts";
import { gatherSecrets, namesOf, type SecretNames } from "./secrets/call-secrets.ts";
import type { Granted } from "./secrets/secret-service.ts";
import type { PinnedTarget, Target } from "./target.ts";

/** What a caller sends, whoever the caller is. */
export interface CallBody {
  readonly input: unknown;
  readonly messages: readonly unknown[];
  readonly params: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Everything else about a new call. */
export interface CallFacts {
  readonly accountId: string;
  readonly mode: ExecutionMode;
  readonly sessionId: string | null;
  readonly requestId: string;
  readonly timeoutMs: number | null;
  readonly idempotencyKey: string | null;
  readonly onDisconnect: Invocation["onDisconnect"];
  readonly policy: CachePolicy;
  readonly priority: number;
  /** Not before this time, ms since the epoch; null = at once. */
  readonly runAt: number | null;
  /** What the caller lets it spend; null = as much as its script says. */
  readonly budget: Amounts | null;
  /** Name of the API key whose daily pool pays; null = none. */
  readonly key: string | null;
  readonly parent: LiveRun | null;
  /** Secrets that are kept for it; those of the caller go before. */
  readonly granted: Granted;
  /** Position of the ctx call in the parent. */
  readonly parentPos: number | null;
}

const SEED_BYTES = 32;
/** Seeds drawn from the system at a time: one draw costs as much as many. */
const SEEDS = 128;

/** What the caller, the script and the operator together want of the result cache. */
export function cachePolicyOf(
  { workflow, plan }: Target,
  mode: CacheMode,
  { cacheTtlMs }: EngineSettings,
): CachePolicy {
  const { cache } = workflow;
  const ttlMs = cache?.ttlMs ?? plan.config.cacheTtlMs ?? cacheTtlMs;
  if (mode === "no-store" || cache?.enabled === false) return { keep: "never", ttlMs };
  return { keep: cache?.enabled === true || plan.config.cacheTtlMs !== null ? "always" : "pure", ttlMs };
}

/** The smallest of some limits in milliseconds; null = none. */
export function leastMs(...limits: readonly (number | null)[]): number | null {
  const known = limits.filter((limit) => limit !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function dataOf(
  body: CallBody,
  facts: CallFacts & { readonly sessionId: string; readonly names: SecretNames },
  { workflow, plan, pins }: PinnedTarget,
): string {
  const { parent } = facts;
  const data: CtxData = {
    ...(Object.keys(pins).length === 0 ? {} : { datastores: pins }),
    input: body.input ?? null,
    messages: body.messages,
    params: body.params,
    env: workflow.env,
    metadata: body.metadata,
    session_id: facts.sessionId,
    request_id: facts.requestId,
    workflow_info: {
      ref_name: workflow.ref,
      version: plan.version.number,
      ...(parent === null ? {} : { parent_run: parent.id }),
      depth: parent === null ? 0 : parent.call.execution.depth + 1,
    },
    accessories: plan.accessories,
    ...facts.names,
  };
  return JSON.stringify(data);
}

let seeds = Buffer.alloc(0);

function drawSeed(): string {
  if (seeds.length === 0) seeds = randomBytes(SEED_BYTES * SEEDS);
  const seed = seeds.toString("hex", 0, SEED_BYTES);
  seeds = seeds.subarray(SEED_BYTES);
  return seed;
}

function hasAny(secrets: CallBody["secrets"]): boolean {
  for (const _name in secrets) return true;
  return false;
}

/** Makes the call of a target: ids, seed, the data that ctx shows and the key of the result. */
export function createCall(target: PinnedTarget, body: CallBody, facts: CallFacts): Call {
  const { workflow, plan, pins } = target;
  const { accountId, parent, parentPos, mode, policy, timeoutMs, requestId, idempotencyKey, onDisconnect } = facts;
  const { version } = plan;
  const id = randomUUIDv7();
  // A session of its own needs no entry in the store's index of sessions.
  const sessionId = facts.sessionId ?? id;
  const seed = drawSeed();
  const { granted } = facts;
  const secrets = gatherSecrets({ granted, given: body.secrets, parent: parent?.call ?? null, seed });
  const { hidden } = secrets;
  const data = dataOf(body, { ...facts, sessionId, names: namesOf(secrets) }, target);
  const key = cacheKey({
    versionId: version.id,
    envRevision: workflow.envRevision,
    datastores: pinsText(pins),
    ...body,
    stored: granted.mark,
  });
  const shown = hasAny(hidden) ? redactJson(data, hidden) : data;
  // Stored ones are there again after a crash.
  const hasSecrets = hasAny(body.secrets) || shown !== data;
  const createdAt = Date.now();
  const execution = {
    id,
    accountId,
    workflowId: workflow.id,
    versionId: version.id,
    ref: workflow.ref,
    mode,
    data: shown,
    hasSecrets,
    sessionId,
    requestId,
    parentId: parent?.id ?? null,
    parentPos,
    depth: parent === null ? 0 : parent.call.execution.depth + 1,
    seed,
    priority: facts.priority,
    createdAt,
    runAt: Math.max(createdAt, facts.runAt ?? createdAt),
    timeoutMs,
    cacheKey: policy.keep === "never" || hasSecrets ? null : key,
    idempotencyKey,
    budget: budgetOf({ config: plan.config.budget, asked: facts.budget, key: facts.key, parent }),
  };
  return { execution, workflow, plan, data, ...secrets, key, policy, onDisconnect, parent };
}
