import type { GraphRun, GraphWorkflow } from "../../../engine/graphs/graph-service.ts";
import type { NodeState } from "../../../engine/graphs/node-states.ts";
import { toConnection, toNode } from "../../../graph/to-document.ts";
import { toExecId, toIso, toWorkflowId } from "../../ids.ts";
import { outputsOf, runFacts, toCost, tokensOf } from "../graph-views/run-facts.ts";

const hundredths = (value: number): number => Math.round(value * 100) / 100;

/** How the runs of a workflow went. */
function statsOf({ counts }: GraphWorkflow): Record<string, number> {
  const { finished, completed, meanMs } = counts;
  return {
    total_runs: finished,
    success_rate: finished === 0 ? 0 : hundredths(completed / finished),
    avg_duration: Math.round(meanMs / 100) / 10,
  };
}

/** A workflow. */
export function toWorkflowView(found: GraphWorkflow): Record<string, unknown> {
  const { workflow, graph, label } = found;
  return {
    workflow_id: toWorkflowId(workflow.id),
    ref: workflow.ref,
    name: workflow.name,
    description: workflow.description,
    version: label,
    status: "active",
    created_at: toIso(workflow.createdAt),
    updated_at: toIso(workflow.updatedAt),
    nodes: graph?.nodes.map(toNode) ?? [],
    edges: graph?.edges.map(toConnection) ?? [],
    settings: graph?.settings ?? {},
    execution_stats: statsOf(found),
  };
}

function toTraceRow(node: NodeState): Record<string, unknown> {
  return {
    node_id: node.nodeId,
    node_type: node.type,
    status: node.status,
    started_at: toIso(node.startedAt),
    completed_at: toIso(node.finishedAt),
    input: node.input,
    output: node.output,
    tokens_used: tokensOf(node),
    cost: toCost(node.costUsd),
    attempts: node.attempts,
    ...(node.error === null ? {} : { error: node.error.message }),
  };
}

/** The nodes of a run. */
export const toTrace = ({ nodes }: GraphRun): readonly object[] => nodes.map(toTraceRow);

const wordOf = (status: string): string => (status === "pending" ? "running" : status);

/** A run that has ended, as the answer of the call that started it. */
export function toResultView(run: GraphRun): Record<string, unknown> {
  const { status, seconds, tokens, cost, startedAt, completedAt } = runFacts(run);
  return {
    execution_id: toExecId(run.execution.id),
    workflow_id: toWorkflowId(run.workflow.id),
    status: wordOf(status),
    result: outputsOf(run),
    execution_time: seconds,
    tokens_used: tokens,
    cost,
    started_at: toIso(startedAt),
    completed_at: toIso(completedAt),
  };
}

/** A run at any time. */
export function toExecutionView(run: GraphRun): Record<string, unknown> {
  const { status, seconds, tokens, cost, startedAt, completedAt } = runFacts(run);
  const error = run.result !== null && run.result.status !== "completed" ? run.result.error : null;
  return {
    execution_id: toExecId(run.execution.id),
    workflow_id: toWorkflowId(run.workflow.id),
    status: wordOf(status),
    progress: run.progress,
    current_node: run.currentNode,
    result: outputsOf(run),
    execution_trace: toTrace(run),
    total_tokens: tokens,
    total_cost: cost,
    execution_time: seconds,
    started_at: toIso(startedAt),
    completed_at: toIso(completedAt),
    ...(error === null ? {} : { error: error.message, error_code: error.code }),
  };
}
