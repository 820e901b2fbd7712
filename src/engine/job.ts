import type { ExecutionJob, Isolation, ReplayRecord } from "../../runtime/index.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

const STRICTNESS: readonly Isolation[] = ["frozen", "context", "isolate"];

/** The stricter of two levels of isolation. */
export function stricter(a: Isolation, b: Isolation): Isolation {
  return STRICTNESS.indexOf(a) >= STRICTNESS.indexOf(b) ? a : b;
}

/** What an attempt has to repeat. */
export interface Replay {
  readonly records: readonly ReplayRecord[];
  /** See {@link ExecutionJob.isCalm}. */
  readonly isCalm: boolean;
}

/** What a worker needs to run an execution from its journal on. */
export function toJob(run: LiveRun, { records, isCalm }: Replay, parts: Parts): ExecutionJob {
  const { execution, plan, workflow, data, secrets, hidden, handles } = run.call;
  const { version, config } = plan;
  const budget = parts.ledger.limitsOf(execution);
  return {
    executionId: execution.id,
    accountId: execution.accountId,
    versionId: version.id,
    bundleHash: version.bundleHash,
    profile: parts.profileOf(execution.accountId),
    isolation: stricter(version.isolation, parts.settings.isolation),
    alone: run.alone,
    limits: parts.limits,
    seed: execution.seed,
    startedAt: run.clockAt ?? run.startedAt,
    deadlineAt: run.deadlineAt,
    timeoutMs: execution.timeoutMs,
    data,
    secrets,
    hidden,
    ...(handles.length === 0 ? {} : { handles }),
    httpAllow: config.httpAllow,
    replay: records,
    ...(isCalm ? { isCalm } : {}),
    depth: execution.depth,
    tellsImpure: run.tellsImpure,
    application: workflow.application,
    ...(budget === null ? {} : { budget }),
  };
}
