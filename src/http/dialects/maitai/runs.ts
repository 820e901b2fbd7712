import { fail } from "../../../../runtime/index.ts";
import type { Execution } from "../../../engine/types.ts";
import { parseExecutionId } from "../../ids.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { toErrorMember } from "./errors.ts";
import { MAX_LIMIT, PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000);

function times(state: Execution["state"]): { readonly startedAt: number | null; readonly finishedAt: number | null } {
  const startedAt = "startedAt" in state ? state.startedAt : null;
  return { startedAt, finishedAt: "finishedAt" in state ? state.finishedAt : null };
}

/** The run object of the API. Times are seconds since the epoch. */
export function toRun(execution: Execution): Record<string, unknown> {
  const { state, usage } = execution;
  const { startedAt, finishedAt } = times(state);
  return {
    id: execution.id,
    object: "workflow.run",
    workflow: execution.ref,
    workflow_id: execution.workflowId,
    version_id: execution.versionId,
    status: state.status,
    mode: execution.mode,
    session_id: execution.sessionId,
    request_id: execution.requestId,
    parent_run: execution.parentId,
    cached: state.status === "completed" && state.cached,
    created_at: seconds(execution.createdAt),
    started_at: seconds(startedAt),
    finished_at: seconds(finishedAt),
    duration_ms: startedAt === null || finishedAt === null ? null : finishedAt - startedAt,
    output: state.status === "completed" && state.output !== null ? JSON.parse(state.output) : null,
    error:
      state.status === "failed" || state.status === "cancelled"
        ? toErrorMember(state.error, execution.requestId)
        : null,
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

interface RunParams {
  readonly id: string;
}

function runId(request: Request): string {
  const { id } = request.params as RunParams;
  const uuid = parseExecutionId(id);
  if (uuid === null) throw fail("EXECUTION_NOT_FOUND", { id });
  return uuid;
}

const PARAMS = { type: "object", properties: { id: { type: "string", description: "UUID or exec_<32 hex digits>" } } };
const WINDOW = {
  type: "object",
  properties: { from: { type: "string", pattern: "^\\d{1,9}$" }, limit: { type: "string", pattern: "^\\d{1,5}$" } },
};
const MAX_WINDOW = 10_000;

function windowOf(request: Request): { readonly from: number; readonly limit: number } {
  const query = request.query as { readonly from?: string; readonly limit?: string };
  return { from: Number(query.from ?? 0), limit: Math.min(MAX_WINDOW, Number(query.limit ?? 1_000)) };
}

/** Reading and stopping runs. */
export function registerRuns(app: App, deps: DialectDeps): void {
  const { engine } = deps;
  const target = (request: Request) => ({ accountId: deps.account(request).id, executionId: runId(request) });

  app.get("/api/v1/runs/:id", { schema: { tags: ["runs"], summary: "One run", params: PARAMS } }, async (request) => ({
    data: toRun(await engine.findExecution(target(request))),
  }));
  const logs = { tags: ["runs"], summary: "Log lines of a run", params: PARAMS, querystring: WINDOW };
  app.get("/api/v1/runs/:id/logs", { schema: logs }, async (request) => {
    const lines = await engine.readLogs({ ...target(request), ...windowOf(request) });
    return { data: lines.map((line) => ({ ...line, fields: line.fields === null ? null : JSON.parse(line.fields) })) };
  });
  const chunks = { tags: ["runs"], summary: "Chunks a run emitted", params: PARAMS, querystring: WINDOW };
  app.get("/api/v1/runs/:id/chunks", { schema: chunks }, async (request) => {
    const found = await engine.readChunks({ ...target(request), ...windowOf(request) });
    return {
      data: found.map((chunk) => ({
        index: chunk.index,
        type: JSON.parse(chunk.type),
        content: JSON.parse(chunk.content),
        text: chunk.text,
      })),
    };
  });
  const cancel = { tags: ["runs"], summary: "Stop a run", params: PARAMS };
  app.post("/api/v1/runs/:id/cancel", { schema: cancel }, async (request) => {
    await engine.cancel(target(request));
    return { data: toRun(await engine.findExecution(target(request))) };
  });
  const list = {
    tags: ["runs"],
    summary: "Runs of a workflow, newest first",
    params: { type: "object", properties: { ref: { type: "string" } } },
    querystring: { ...PAGE_SCHEMA, properties: { ...PAGE_SCHEMA.properties, status: { type: "string" } } },
  };
  app.get("/api/v1/workflows/:ref/runs", { schema: list }, async (request) => {
    const { ref } = request.params as { readonly ref: string };
    const query = request.query as PageQuery & { readonly status?: string };
    const page = pageOf(query);
    const accountId = deps.account(request).id;
    const workflow = await deps.workflows.find({ accountId, key: ref });
    const found = await engine.listExecutions({ accountId, ref: workflow.ref, status: query.status ?? null, ...page });
    return { data: found.items.map(toRun), pagination: { total: found.total, ...page, max_limit: MAX_LIMIT } };
  });
}
