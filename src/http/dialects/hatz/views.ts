import type { GraphRun, GraphService, GraphWorkflow } from "../../../engine/graphs/graph-service.ts";
import type { NodeState } from "../../../engine/graphs/node-states.ts";
import type { GraphNode, InputField } from "../../../graph/types.ts";
import { toIso } from "../../ids.ts";
import { isFields } from "../graph-views/body.ts";
import { isTopNode, runFacts } from "../graph-views/run-facts.ts";
import { uuidV5 } from "./step-id.ts";

const VARIABLE_TYPES: Readonly<Record<InputField["type"], string>> = {
  text: "short_answer",
  number: "number",
  boolean: "checkbox",
  select: "dropdown",
  file: "file_upload",
  json: "json",
};

const toUserInput = (workflowId: string) => (field: InputField, position: number) => ({
  position,
  required: field.required,
  object_id: uuidV5(workflowId, `input/${field.name}`),
  description: field.description ?? "",
  display_name: field.label ?? field.name,
  variable_name: field.name,
  variable_type: VARIABLE_TYPES[field.type],
  ...(field.options === null ? {} : { options: field.options }),
  ...(field.default === undefined ? {} : { default: field.default }),
});

/** A step is what does something: where a run begins is none. */
const isStep = ({ kind }: Pick<GraphNode, "kind">): boolean => kind !== "entry";
const isPrompt = (kind: string): boolean => kind === "llm" || kind === "agent";
const typeOf = (kind: string, type: string): string =>
  isPrompt(kind) ? "prompt" : type === "script" ? "script" : kind;

function promptOf({ config }: GraphNode): readonly object[] {
  const { prompt, input, message } = config;
  const body = [prompt, input, message].find((text) => typeof text === "string");
  return body === undefined ? [] : [{ body, position: 0 }];
}

const toStep = (node: GraphNode, position: number) => ({
  id: node.id,
  config: { model: typeof node.config["model"] === "string" ? node.config["model"] : null },
  position,
  step_type: typeOf(node.kind, node.type),
  display_name: node.name ?? node.id,
  prompt_sections: promptOf(node),
});

/** A workflow as an app. */
export function toApp(found: GraphWorkflow, graphs: Pick<GraphService, "inputsOf">): Record<string, unknown> {
  const { workflow, graph } = found;
  const steps = graph?.nodes.filter(isStep) ?? [];
  const known = new Set(steps.map(({ id }) => id));
  const script = {
    id: "script",
    config: { model: null },
    position: 0,
    step_type: "script",
    display_name: workflow.name,
  };
  return {
    id: workflow.id,
    name: workflow.name,
    description: workflow.description,
    files: [],
    constants: [],
    user_inputs: graphs.inputsOf(found).map(toUserInput(workflow.id)),
    steps: graph === null ? [{ ...script, prompt_sections: [] }] : steps.map(toStep),
    dependencies: steps.map(({ id }) => ({
      step_id: id,
      depends_on: (graph?.edges ?? []).filter(({ from, to }) => to === id && known.has(from)).map(({ from }) => from),
    })),
  };
}

/** What a step said, as text. */
function textOf({ status, output, error }: NodeState): string | null {
  if (status === "failed") return error?.message ?? "The step failed.";
  if (output === null || output === undefined) return null;
  if (typeof output === "string") return output;
  if (!isFields(output)) return JSON.stringify(output);
  const said = [output["response"], output["output"]].find((text) => typeof text === "string");
  return typeof said === "string" ? said : JSON.stringify(output);
}

const STATUSES: Readonly<Record<NodeState["status"], string>> = {
  running: "running",
  completed: "complete",
  failed: "failed",
  cancelled: "failed",
  skipped: "skipped",
};

/** The UUID of a step of a job. */
export const stepId = (jobId: string, { nodeId }: Pick<NodeState, "nodeId">): string => uuidV5(jobId, nodeId);

const toStepOutput = (jobId: string) => (node: NodeState) => {
  const { startedAt, finishedAt } = node;
  const at = startedAt ?? 0;
  return {
    step_id: stepId(jobId, node),
    job_id: jobId,
    step_type: typeOf(node.kind, node.type),
    status: STATUSES[node.status],
    output_type: "dump",
    created_at: toIso(at),
    updated_at: toIso(finishedAt ?? at),
    start_time: at,
    end_time: finishedAt,
    duration: finishedAt === null ? null : finishedAt - at,
    output_data: textOf(node),
    payload: { node_id: node.nodeId },
  };
};

/** The steps of a run that began. */
export const stepsOf = ({ nodes }: GraphRun): readonly NodeState[] =>
  nodes.filter((node) => isTopNode(node) && node.kind !== "entry" && node.status !== "skipped");

const JOB_STATUSES = {
  pending: "pending",
  running: "running",
  completed: "complete",
  failed: "failed",
  cancelled: "failed",
};

/** A run as a job. */
export function toJob(run: GraphRun, userId: string): Record<string, unknown> {
  const { execution, workflow, graph, input } = run;
  const { status, startedAt, completedAt } = runFacts(run);
  const { id: jobId, createdAt, accountId } = execution;
  return {
    job_id: jobId,
    app_id: workflow.id,
    tenant_id: accountId,
    user_id: userId,
    created_at: toIso(createdAt),
    updated_at: toIso(completedAt ?? startedAt),
    start_time: startedAt,
    end_time: completedAt,
    number_of_steps: graph === null ? 1 : graph.nodes.filter(isStep).length,
    status: JOB_STATUSES[status],
    user_inputs: input,
    app_data: {},
    step_outputs: stepsOf(run).map(toStepOutput(jobId)),
  };
}
