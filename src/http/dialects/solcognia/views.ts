import type { GraphRun, GraphWorkflow } from "../../../engine/graphs/graph-service.ts";
import type { NodeState } from "../../../engine/graphs/node-states.ts";
import type { ListedExecution } from "../../../engine/types.ts";
import { toConnection, toNode } from "../../../graph/to-document.ts";
import type { GraphProblem } from "../../../graph/types.ts";
import { toExecId, toIso, toWorkflowId } from "../../ids.ts";
import { finalOutput, runFacts, secondsOf, statusWord, toCost, tokensOf } from "../graph-views/run-facts.ts";

/** A workflow in a list. */
export function toSummary({ workflow, category, isPublic, counts, rating }: GraphWorkflow): Record<string, unknown> {
  return {
    id: toWorkflowId(workflow.id),
    name: workflow.name,
    description: workflow.description,
    category: category ?? "",
    public: isPublic,
    created_by: `user_${workflow.accountId.replaceAll("-", "")}`,
    created_at: toIso(workflow.createdAt),
    updated_at: toIso(workflow.updatedAt),
    usage_count: counts.runs,
    rating: Math.round(rating * 10) / 10,
    ref: workflow.ref,
  };
}

/** A workflow with its nodes; `warnings` come with a save. */
export function toDetail(found: GraphWorkflow, warnings: readonly GraphProblem[] = []): Record<string, unknown> {
  const { graph, revision } = found;
  return {
    ...toSummary(found),
    nodes: graph?.nodes.map(toNode) ?? [],
    connections: graph?.edges.map(toConnection) ?? [],
    settings: graph?.settings ?? {},
    version: revision,
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

function toNodeResult(node: NodeState): Record<string, unknown> {
  return {
    node_id: node.nodeId,
    node_type: node.type,
    status: node.status,
    started_at: toIso(node.startedAt),
    completed_at: toIso(node.finishedAt),
    duration: secondsOf(node),
    tokens_used: tokensOf(node),
    cost: toCost(node.costUsd),
    output: node.output,
    error: node.error?.message ?? null,
  };
}

/** A run with its nodes. */
export function toExecution(run: GraphRun): Record<string, unknown> {
  const { status, seconds, tokens, cost, startedAt, completedAt } = runFacts(run);
  const error = run.result !== null && run.result.status !== "completed" ? run.result.error : null;
  return {
    execution_id: toExecId(run.execution.id),
    workflow_id: toWorkflowId(run.workflow.id),
    status,
    inputs: run.input ?? {},
    outputs: finalOutput(run),
    node_results: run.nodes.map(toNodeResult),
    progress: run.progress,
    execution_time: seconds,
    tokens_used: tokens,
    cost,
    error: error === null ? null : { code: error.code.toLowerCase(), message: error.message },
    started_at: toIso(startedAt),
    completed_at: toIso(completedAt),
  };
}

/** A run in a list. */
export function toExecutionSummary({
  id,
  workflowId,
  state,
  usage,
  createdAt,
}: ListedExecution): Record<string, unknown> {
  const startedAt = ("startedAt" in state ? state.startedAt : null) ?? createdAt;
  const completedAt = "finishedAt" in state ? state.finishedAt : null;
  return {
    execution_id: toExecId(id),
    workflow_id: toWorkflowId(workflowId),
    status: statusWord(state.status),
    execution_time: completedAt === null ? null : Math.max(0, completedAt - startedAt) / 1_000,
    tokens_used: usage.promptTokens + usage.completionTokens,
    cost: toCost(usage.costUsd),
    error: "error" in state ? { code: state.error.code.toLowerCase(), message: state.error.message } : null,
    started_at: toIso(startedAt),
    completed_at: toIso(completedAt),
  };
}
