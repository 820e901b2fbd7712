import type { CtxData } from "../../../runtime/index.ts";
import { fail } from "../../../runtime/index.ts";
import type { Graph } from "../../graph/types.ts";
import type { NodeUsage, Store, Workflow } from "../../store/store.ts";
import type { Engine, RunWatch } from "../engine.ts";
import { resultOf } from "../result.ts";
import type { Execution, ExecutionState } from "../types.ts";
import type { GraphRun, GraphService } from "./graph-service.ts";
import { readGraph, toWorkflowKey } from "./graph-workflow.ts";
import { NodeLog } from "./node-log.ts";
import type { NodeEvent, NodeState } from "./node-states.ts";

/** What reading runs stands on. */
export interface GraphRunParts {
  readonly store: Store;
  readonly engine: Engine;
}

const PAGE = 500;
const FILE_ID = /^file_[0-9a-f]{32}$/;
/** Values looked at for ids of files. */
const MAX_LOOKS = 10_000;
const NO_USAGE: NodeUsage = { promptTokens: 0, completionTokens: 0, costUsd: 0 };

/** Ids of files that stand in a value. */
function filesIn(value: unknown): readonly string[] {
  const found = new Set<string>();
  const todo: unknown[] = [value];
  for (let looks = 0; todo.length > 0 && looks < MAX_LOOKS; looks++) {
    const next = todo.pop();
    if (typeof next === "string" && FILE_ID.test(next)) found.add(next);
    else if (typeof next === "object" && next !== null) todo.push(...Object.values(next));
  }
  return [...found];
}

/** The values that led to each node, by its id. */
function inputsByNode(
  graph: Graph,
  outputs: ReadonlyMap<string, unknown>,
  input: unknown,
): ReadonlyMap<string, unknown> {
  return new Map(
    graph.nodes.map(({ id }) => {
      const before = graph.edges.filter(({ to, from }) => to === id && outputs.has(from));
      if (!graph.edges.some(({ to }) => to === id)) return [id, input];
      return [id, Object.fromEntries(before.map(({ from }) => [from, outputs.get(from)]))];
    }),
  );
}

/** Usage of a node and of those within it. */
function usageOf(id: string, usage: ReadonlyMap<string, NodeUsage>): NodeUsage {
  const own = usage.get(id) ?? NO_USAGE;
  const within = [...usage].filter(([one]) => one.startsWith(`${id}/`)).map(([, each]) => each);
  return within.reduce(
    (sum, each) => ({
      promptTokens: sum.promptTokens + each.promptTokens,
      completionTokens: sum.completionTokens + each.completionTokens,
      costUsd: sum.costUsd + each.costUsd,
    }),
    own,
  );
}

/** A script is one node. */
function scriptState({ state, usage, data }: Execution): NodeState {
  const { promptTokens, completionTokens, costUsd } = usage;
  const ended = "finishedAt" in state ? state.status : "running";
  const startedAt = "startedAt" in state ? state.startedAt : null;
  const output = state.status === "completed" && state.output !== null ? (JSON.parse(state.output) as unknown) : null;
  const error = "error" in state ? { message: state.error.message, code: state.error.code } : null;
  return {
    ...{ nodeId: "script", type: "script", kind: "code", name: null, status: ended, startedAt },
    finishedAt: "finishedAt" in state ? state.finishedAt : null,
    input: (JSON.parse(data) as CtxData).input,
    ...{ output, route: null, error, handled: false, attempts: 1 },
    ...(state.status === "completed" && state.cached ? NO_USAGE : { promptTokens, completionTokens, costUsd }),
    files: filesIn(output),
  };
}

async function allChunks(watch: RunWatch, log: NodeLog): Promise<void> {
  for (let from = 0; ; ) {
    const chunks = await watch.chunks(from, PAGE);
    for (const chunk of chunks) log.add(chunk);
    const last = chunks.at(-1);
    if (last === undefined) return;
    from = last.index + 1;
  }
}

const isOver = ({ status }: ExecutionState): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

/** Nodes of a graph's run, with what the server metered. */
async function statesOf(
  execution: Execution,
  graph: Graph,
  input: unknown,
  parts: GraphRunParts,
): Promise<readonly NodeState[]> {
  const { accountId, id: executionId, state } = execution;
  const log = new NodeLog(graph);
  const watch = await parts.engine.watchRun({ accountId, executionId });
  await allChunks(watch, log).finally(() => watch.close());
  const isCached = state.status === "completed" && state.cached;
  const usage = isCached ? new Map<string, NodeUsage>() : await parts.store.usageByNode({ accountId, executionId });
  const told = log.states(isOver(state));
  const outputs = new Map(
    told.filter(({ status }) => status === "completed").map(({ nodeId, output }) => [nodeId, output]),
  );
  const inputs = inputsByNode(graph, outputs, input);
  return told.map((node) => ({
    ...node,
    input: inputs.get(node.nodeId) ?? null,
    ...usageOf(node.nodeId, usage),
    files: filesIn(node.output),
  }));
}

const isTop = ({ nodeId }: NodeState): boolean => !nodeId.includes("/");

function progressOf(graph: Graph | null, nodes: readonly NodeState[], state: ExecutionState): number {
  if (state.status === "completed") return 1;
  const all = graph?.nodes.length ?? 1;
  const settled = nodes.filter(
    (node) => isTop(node) && node.status !== "running" && node.status !== "cancelled",
  ).length;
  return all === 0 ? 1 : Math.min(1, Math.round((settled / all) * 100) / 100);
}

async function toRun(execution: Execution, workflow: Workflow, parts: GraphRunParts): Promise<GraphRun> {
  const { accountId, versionId, data, state } = execution;
  const graph = await readGraph(parts.store, { accountId, id: versionId });
  const { input, metadata } = JSON.parse(data) as CtxData;
  const nodes = graph === null ? [scriptState(execution)] : await statesOf(execution, graph, input, parts);
  const running = nodes.find(({ status }) => status === "running");
  return {
    ...{ execution, workflow, graph, input, context: metadata, nodes },
    result: resultOf(execution, false),
    progress: progressOf(graph, nodes, state),
    currentNode: running?.nodeId ?? null,
  };
}

type Runs = Pick<GraphService, "readRun" | "listRuns" | "followRun">;

/** Reads runs of workflows node by node. */
export function createGraphRuns(parts: GraphRunParts): Runs {
  const { store, engine } = parts;

  const workflowOf = async (accountId: string, key: string): Promise<Workflow> => {
    const workflow = await store.findWorkflow({ accountId, key: toWorkflowKey(key) });
    if (workflow === null) throw fail("WORKFLOW_NOT_FOUND", { ref: key });
    return workflow;
  };

  async function* follow(watch: RunWatch, graph: Graph | null, signal: AbortSignal): AsyncGenerator<NodeEvent> {
    const log = new NodeLog(graph);
    for (let from = 0; !signal.aborted; ) {
      // Asked for before the chunks: those of a run that has ended are all there.
      const result = await watch.result();
      const chunks = await watch.chunks(from, PAGE);
      for (const chunk of chunks) {
        from = chunk.index + 1;
        const event = log.add(chunk);
        if (event !== null) yield event;
      }
      if (chunks.length > 0) continue;
      if (result !== null) return;
      await watch.changed();
    }
  }

  return {
    async readRun({ accountId, executionId, key }) {
      const execution = await engine.findExecution({ accountId, executionId });
      const workflow = await workflowOf(accountId, execution.workflowId);
      if (key !== undefined && (await workflowOf(accountId, key)).id !== execution.workflowId)
        throw fail("EXECUTION_NOT_FOUND", { id: executionId });
      return toRun(execution, workflow, parts);
    },
    async listRuns({ accountId, key, statuses, limit, offset }) {
      const { id } = await workflowOf(accountId, key);
      const filter = statuses === null ? {} : { statuses };
      const { items, total } = await engine.listExecutions({ accountId, ref: id, filter, limit, offset, cursor: null });
      return { items, total: total ?? offset + items.length };
    },
    async *followRun({ accountId, executionId, signal }) {
      const { versionId } = await engine.findExecution({ accountId, executionId });
      const graph = await readGraph(store, { accountId, id: versionId });
      const watch = await engine.watchRun({ accountId, executionId });
      const leave = () => watch.close();
      signal.addEventListener("abort", leave, { once: true });
      try {
        yield* follow(watch, graph, signal);
      } finally {
        signal.removeEventListener("abort", leave);
        watch.close();
      }
    },
  };
}
