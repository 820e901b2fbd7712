import type { GraphRun } from "../../../engine/graphs/graph-service.ts";
import type { NodeState } from "../../../engine/graphs/node-states.ts";
import type { ExecutionState } from "../../../engine/types.ts";

/** Numbers of a run as the graph APIs show them. */
export interface RunFacts {
  readonly status: "pending" | "running" | "completed" | "failed" | "cancelled";
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly completedAt: number | null;
  /** Seconds so far. */
  readonly seconds: number;
  readonly tokens: number;
  readonly cost: number;
}

/** Digits behind the point of a cost in US dollars. */
const COST_DIGITS = 10;

/** A sum of costs without the noise of adding them. */
export const toCost = (usd: number): number => Number(usd.toFixed(COST_DIGITS));

const WORDS: Readonly<Record<ExecutionState["status"], RunFacts["status"]>> = {
  queued: "pending",
  running: "running",
  waiting: "running",
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
};

/** The word that the graph APIs have for a status. */
export const statusWord = (status: ExecutionState["status"]): RunFacts["status"] => WORDS[status];

/** True for a node that is no part of a parallel one. */
export const isTopNode = ({ nodeId }: NodeState): boolean => !nodeId.includes("/");

/** Tokens of a node. */
export const tokensOf = ({ promptTokens, completionTokens }: NodeState): number => promptTokens + completionTokens;

/** Sums and times of a run. */
export function runFacts({ execution, nodes }: GraphRun): RunFacts {
  const { state, createdAt } = execution;
  const startedAt = "startedAt" in state && state.startedAt !== null ? state.startedAt : createdAt;
  const completedAt = "finishedAt" in state ? state.finishedAt : null;
  const tops = nodes.filter(isTopNode);
  return {
    status: statusWord(state.status),
    startedAt,
    completedAt,
    seconds: Math.max(0, (completedAt ?? Date.now()) - startedAt) / 1_000,
    tokens: tops.reduce((sum, node) => sum + tokensOf(node), 0),
    cost: toCost(tops.reduce((sum, node) => sum + node.costUsd, 0)),
  };
}

/** Values of the nodes that ended well, or whose failure was taken care of, by id. */
export function outputsOf({ nodes }: GraphRun): Record<string, unknown> {
  const settled = nodes.filter((node) => isTopNode(node) && (node.status === "completed" || node.handled));
  return Object.fromEntries(settled.map(({ nodeId, output }) => [nodeId, output]));
}

/** The output of a run that has completed; null before, and for one that failed. */
export function finalOutput({ result }: GraphRun): unknown {
  return result?.status === "completed" ? JSON.parse(result.output) : null;
}

/** Seconds that a node took; null while it runs and for one that was skipped. */
export function secondsOf({ startedAt, finishedAt }: NodeState): number | null {
  return startedAt === null || finishedAt === null ? null : Math.max(0, finishedAt - startedAt) / 1_000;
}
