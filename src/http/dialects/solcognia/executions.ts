import { fail } from "../../../../runtime/index.ts";
import type { ExecutionState } from "../../../engine/types.ts";
import { parseExecutionId, toExecId, toIso, toWorkflowId } from "../../ids.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import {
  bodyOf,
  flag,
  optionalFields,
  optionalText,
  queryNumber,
  queryText,
  secondsMember,
} from "../graph-views/body.ts";
import { toCall } from "../graph-views/call.ts";
import { outputsOf } from "../graph-views/run-facts.ts";
import { toCallWebhook } from "../maitai/webhook-body.ts";
import { toRunError } from "./errors.ts";
import { toExecution, toExecutionSummary } from "./views.ts";

const tags = ["graphs: solcognia"];
const PATH = "/api/v1/workflows/:id";
const PARAMS = { type: "object", properties: { id: { type: "string", description: "`wf_…`, UUID or ref" } } } as const;
const LIMIT = { usual: 20, min: 1, max: 100 };
const OFFSET = { usual: 0, min: 0, max: 100_000 };

const STATUSES: Readonly<Record<string, readonly ExecutionState["status"][]>> = {
  pending: ["queued"],
  running: ["running", "waiting"],
  completed: ["completed"],
  failed: ["failed"],
  cancelled: ["cancelled"],
};

const EXECUTE = {
  type: ["object", "null"],
  properties: {
    inputs: { description: "Values of the input fields, by name" },
    async: { description: "Answer 202 at once" },
    timeout: { description: "Seconds" },
    webhook_url: { description: "Told when the run has ended" },
  },
} as const;

const idOf = (request: Request): string => (request.params as { readonly id: string }).id;

function begin(deps: DialectDeps, request: Request, isAsync: boolean) {
  const body = bodyOf(request, true);
  const call = toCall(deps, request, {
    key: idOf(request),
    input: optionalFields(body, "inputs") ?? {},
    mode: isAsync ? "background" : "sync",
    timeoutMs: secondsMember(body, "timeout"),
    webhook: toCallWebhook({ webhook_url: optionalText(body, "webhook_url") ?? null }),
  });
  return deps.graphs.run(call);
}

async function whole(deps: DialectDeps, request: Request, reply: Reply): Promise<unknown> {
  const accountId = deps.account(request).id;
  const invocation = await begin(deps, request, false);
  const { executionId, requestId } = invocation;
  const result = await invocation.result;
  reply.header("x-weft-cache", invocation.cache);
  const run = await deps.graphs.readRun({ accountId, executionId });
  if (result.status === "completed") return toExecution(run);
  const { error } = result;
  const status = error.status ?? fail(error.code, error.details).status;
  const answer = toRunError(error, status, { executionId, requestId, partialOutputs: outputsOf(run) });
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}

async function accepted(deps: DialectDeps, request: Request, reply: Reply): Promise<unknown> {
  const { executionId, workflow, createdAt } = await begin(deps, request, true);
  const id = toExecId(executionId);
  const workflowId = toWorkflowId(workflow.id);
  const url = `/api/v1/workflows/${workflowId}/executions/${id}`;
  reply.code(202).header("location", url);
  return {
    execution_id: id,
    workflow_id: workflowId,
    status: "running",
    status_url: url,
    started_at: toIso(createdAt),
  };
}

function statusesOf(request: Request): readonly ExecutionState["status"][] | null {
  const text = queryText(request, "status");
  if (text === null) return null;
  const found = Object.hasOwn(STATUSES, text) ? STATUSES[text] : undefined;
  if (found !== undefined) return found;
  const message = `status: must be one of ${Object.keys(STATUSES).join(", ")}, got ${JSON.stringify(text.slice(0, 50))}`;
  throw fail("INVALID_REQUEST", { message, param: "status" });
}

async function readOne({ graphs, account }: DialectDeps, request: Request, execution: string, key?: string) {
  const executionId = parseExecutionId(execution);
  if (executionId === null) throw fail("EXECUTION_NOT_FOUND", { id: execution });
  const target = { accountId: account(request).id, executionId };
  return toExecution(await graphs.readRun(key === undefined ? target : { ...target, key }));
}

/** Runs: start, list, look at. */
export function registerExecutions(app: App, deps: DialectDeps): void {
  const execute = { tags, summary: "Run a workflow and wait for its result, or (`async`) for nothing", params: PARAMS };
  app.post(`${PATH}/execute`, { schema: { ...execute, body: EXECUTE } }, async (request, reply) => {
    const isAsync = flag(bodyOf(request, true), "async", false);
    return isAsync ? accepted(deps, request, reply) : whole(deps, request, reply);
  });
  const list = { tags, summary: "Runs of a workflow, newest first", params: PARAMS };
  app.get(`${PATH}/executions`, { schema: list }, async (request) => {
    const limit = queryNumber(request, "limit", LIMIT);
    const offset = queryNumber(request, "offset", OFFSET);
    const key = { accountId: deps.account(request).id, key: idOf(request) };
    const { items, total } = await deps.graphs.listRuns({ ...key, statuses: statusesOf(request), limit, offset });
    return { executions: items.map(toExecutionSummary), total, has_more: offset + items.length < total };
  });
  const one = { tags, summary: "A run, node by node" };
  app.get(`${PATH}/executions/:execution`, { schema: one }, async (request) =>
    readOne(deps, request, (request.params as { readonly execution: string }).execution, idOf(request)),
  );
  app.get("/api/v1/executions/:execution", { schema: one }, async (request) =>
    readOne(deps, request, (request.params as { readonly execution: string }).execution),
  );
}
