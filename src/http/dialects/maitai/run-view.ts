import { type Chunk, fail, type LogLine } from "../../../../runtime/index.ts";
import { shownPriority } from "../../../engine/priority.ts";
import type { Execution, ListedExecution } from "../../../engine/types.ts";
import { toExecId } from "../../ids.ts";
import type { DialectDeps } from "../dialect.ts";
import { shortageOf } from "./budget-view.ts";
import { statusOf, toErrorMember } from "./errors.ts";

/** The number of the version that an execution runs; null when it is gone. */
export async function versionNumberOf(
  { workflows }: Pick<DialectDeps, "workflows">,
  { accountId, versionId }: ListedExecution,
): Promise<string | null> {
  return (await workflows.version({ accountId, versionId }))?.number ?? null;
}

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000);

function timesOf({ createdAt, state }: ListedExecution): Record<string, number | null> {
  const startedAt = "startedAt" in state ? state.startedAt : null;
  const finishedAt = "finishedAt" in state ? state.finishedAt : null;
  return {
    created_at: seconds(createdAt),
    started_at: seconds(startedAt),
    finished_at: seconds(finishedAt),
    duration_ms: startedAt === null || finishedAt === null ? null : finishedAt - startedAt,
    wakes_at: state.status === "waiting" ? seconds(state.until) : null,
  };
}

function errorOf({ state, requestId }: ListedExecution): Record<string, unknown> | null {
  if (state.status !== "failed" && state.status !== "cancelled") return null;
  return { ...toErrorMember(state.error, requestId), status: statusOf(state.error) };
}

function attemptsOf(execution: ListedExecution): Record<string, unknown> {
  const { attempts, lastError, requestId, runAt } = execution;
  return {
    priority: shownPriority(execution),
    run_at: seconds(runAt),
    attempts,
    last_error: lastError === null ? null : toErrorMember(lastError, requestId),
  };
}

/** The run object without its output, as lists show it. Times are seconds since the epoch. */
export function toRunSummary(execution: ListedExecution, version: string | null): Record<string, unknown> {
  const { state, usage, ref, parentId } = execution;
  return {
    id: toExecId(execution.id),
    object: "workflow.run",
    status: state.status,
    waiting_reason: shortageOf(execution) === null ? null : "budget",
    model: `workflow:${ref}`,
    workflow_ref_name: ref,
    version,
    mode: execution.mode,
    session_id: execution.sessionId,
    request_id: execution.requestId,
    parent_run: parentId === null ? null : toExecId(parentId),
    cached: state.status === "completed" && state.cached,
    ...timesOf(execution),
    ...attemptsOf(execution),
    error: errorOf(execution),
    usage: {
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      total_tokens: usage.promptTokens + usage.completionTokens,
      cost_usd: usage.costUsd,
      ctx_calls: usage.ops,
      cpu_ms: usage.cpuMs,
    },
    chunks: execution.chunkCount,
  };
}

/** The run object with its output; `version` is null when the workflow was deleted in between, and its runs with it. */
export function toRunView(execution: Execution, version: string | null): Record<string, unknown> {
  const { state, id } = execution;
  if (version === null) throw fail("EXECUTION_NOT_FOUND", { id: toExecId(id) });
  const output: unknown = state.status === "completed" ? JSON.parse(state.output ?? "null") : null;
  return { ...toRunSummary(execution, version), output };
}

/** The run object of an execution that was just started. */
export async function showRun(deps: DialectDeps, accountId: string, executionId: string): Promise<object> {
  const execution = await deps.engine.findExecution({ accountId, executionId });
  return toRunView(execution, await versionNumberOf(deps, execution));
}

/** A log line as the API shows it; `at` is milliseconds since the epoch. */
export function toLogView({ index, level, at, message, fields }: LogLine): Record<string, unknown> {
  return { index, level, at, message, fields: fields === null ? null : JSON.parse(fields) };
}

/** A chunk as the API shows it. */
export function toChunkView({ index, type, content, text }: Chunk): Record<string, unknown> {
  return { index, type: JSON.parse(type), content: JSON.parse(content), text };
}
