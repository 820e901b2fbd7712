import type { GraphRun, GraphWorkflow } from "../../../engine/graphs/graph-service.ts";
import type { NodeState } from "../../../engine/graphs/node-states.ts";
import type { Execution } from "../../../engine/types.ts";
import { toBlock, toBlockEdge } from "../../../graph/to-document.ts";
import { toIso } from "../../ids.ts";
import { statusWord } from "../graph-views/run-facts.ts";

type Fields = Readonly<Record<string, unknown>>;

function scheduleOf({ graph }: GraphWorkflow): Fields | null {
  const config = graph?.nodes.find(({ type }) => type === "starter")?.config ?? {};
  const entries = Object.entries(config).filter(([name]) => name.startsWith("schedule_"));
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

/** A workflow without its graph. */
export function toRow(found: GraphWorkflow): Record<string, unknown> {
  const { workflow, counts } = found;
  return {
    id: workflow.id,
    ref: workflow.ref,
    name: workflow.name,
    description: workflow.description,
    variables: found.variables,
    version: found.revision,
    color: found.color,
    created_at: toIso(workflow.createdAt),
    updated_at: toIso(workflow.updatedAt),
    state: found.deployed ? "deployed" : "internal",
    schedule_config: scheduleOf(found),
    execution_count: counts.runs,
    last_execution_at: toIso(counts.lastRunAt),
  };
}

/** A workflow with its blocks and edges. */
export function toWorkflowView(found: GraphWorkflow): Record<string, unknown> {
  return {
    ...toRow(found),
    blocks: found.graph?.nodes.map(toBlock) ?? [],
    edges: found.graph?.edges.map(toBlockEdge) ?? [],
  };
}

const withoutSecret = ({ webhook_secret: _secret, ...config }: Fields): Fields => config;

/** Values may hold the secret of a webhook only where someone put it there by hand: what the graph knows is taken out. */
function configOf(node: NodeState, { graph }: GraphRun): Fields {
  return withoutSecret(graph?.nodes.find(({ id }) => id === node.nodeId)?.config ?? {});
}

const STATUSES: Readonly<Record<NodeState["status"], string>> = {
  completed: "success",
  failed: "error",
  cancelled: "error",
  skipped: "skipped",
  running: "running",
};

/** Milliseconds that a node took. */
export const durationOf = ({ startedAt, finishedAt }: Pick<NodeState, "startedAt" | "finishedAt">): number =>
  startedAt === null || finishedAt === null ? 0 : Math.max(0, finishedAt - startedAt);

/** Rows of the blocks that ran, or were skipped. `configName`: what the config is called. */
export function toLogs(run: GraphRun, configName: "config" | "config_snapshot"): readonly Record<string, unknown>[] {
  return run.nodes
    .filter(({ nodeId }) => !nodeId.includes("/"))
    .map((node, i) => ({
      block_id: node.nodeId,
      block_type: node.type,
      block_name: node.name ?? node.nodeId,
      status: STATUSES[node.status],
      duration_ms: durationOf(node),
      input: node.status === "skipped" ? null : node.input,
      output: node.output,
      error: node.error?.message ?? null,
      [configName]: configOf(node, run),
      execution_order: i,
      agent_run_id: null,
      tokens: node.promptTokens + node.completionTokens,
      cost: node.costUsd,
    }));
}

/** Data of the blocks that ended well, by id. */
export function blockOutputs({ nodes }: GraphRun): Record<string, unknown> {
  const ended = nodes.filter(
    ({ nodeId, status, handled }) => !nodeId.includes("/") && (status === "completed" || handled),
  );
  return Object.fromEntries(ended.map(({ nodeId, output }) => [nodeId, output]));
}

/** A run in a list. */
export function toExecutionRow({ id, state, data, createdAt }: Execution): Record<string, unknown> {
  const output = state.status === "completed" && state.output !== null ? (JSON.parse(state.output) as unknown) : null;
  return {
    id,
    status: statusWord(state.status),
    input: (JSON.parse(data) as { readonly input: unknown }).input,
    output,
    error: "error" in state ? state.error.message : null,
    started_at: toIso("startedAt" in state ? state.startedAt : null),
    completed_at: toIso("finishedAt" in state ? state.finishedAt : null),
    created_at: toIso(createdAt),
  };
}
