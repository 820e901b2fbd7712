import { fail } from "../../../../runtime/index.ts";
import { parseExecutionId, toExecId, toIso, toWorkflowId } from "../../ids.ts";
import { waitHeaders } from "../../wait-headers.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { bodyOf, flag, optionalFields, requiredText, secondsMember } from "../graph-views/body.ts";
import { toCall } from "../graph-views/call.ts";
import { toErrorBody } from "./errors.ts";
import { toExecutionView, toResultView, toTrace } from "./views.ts";
import { ID_PARAM, idOf } from "./workflows.ts";

const tags = ["graphs: motte"];
const MAX_LOG_LINES = 1_000;

const EXECUTE = {
  type: "object",
  properties: {
    workflow_id: { type: "string", description: "`wf_<32 hex digits>`, UUID or ref" },
    input: { description: "Any JSON; `{{input}}` in the nodes" },
    context: { description: "`{ session_id, … }`; `{{context.…}}` in the nodes" },
    options: { description: "`{ async, timeout, debug }`; timeout in seconds" },
  },
} as const;

interface Options {
  readonly isAsync: boolean;
  readonly debug: boolean;
  readonly timeoutMs: number | null;
}

function optionsOf(body: Readonly<Record<string, unknown>>): Options {
  const options = optionalFields(body, "options") ?? {};
  return {
    isAsync: flag(options, "async", false),
    debug: flag(options, "debug", false),
    timeoutMs: secondsMember(options, "timeout"),
  };
}

function begin(deps: DialectDeps, request: Request, { isAsync, debug, timeoutMs }: Options) {
  const body = bodyOf(request);
  const context = optionalFields(body, "context") ?? {};
  const { session_id: session } = context;
  return deps.graphs.run(
    toCall(deps, request, {
      key: requiredText(body, "workflow_id"),
      input: body["input"] ?? {},
      mode: isAsync ? "background" : "sync",
      ...{ context, timeoutMs, fresh: debug },
      sessionId: typeof session === "string" && session !== "" ? session : null,
    }),
  );
}

async function whole(deps: DialectDeps, request: Request, reply: Reply, options: Options): Promise<unknown> {
  const { accountId } = { accountId: deps.account(request).id };
  const invocation = await begin(deps, request, options);
  const { executionId } = invocation;
  const result = await invocation.result;
  reply.header("x-weft-cache", invocation.cache);
  if (result.status !== "completed") {
    const { error } = result;
    reply.code(error.status ?? fail(error.code, error.details).status).headers(waitHeaders(error));
    return toErrorBody(error, executionId);
  }
  const run = await deps.graphs.readRun({ accountId, executionId });
  if (!options.debug) return toResultView(run);
  const logs = await deps.engine.readLogs({ accountId, executionId, from: 0, limit: MAX_LOG_LINES });
  return { ...toResultView(run), execution_trace: toTrace(run), logs };
}

async function accepted(deps: DialectDeps, request: Request, reply: Reply, options: Options): Promise<unknown> {
  const { executionId, workflow, createdAt } = await begin(deps, request, options);
  const id = toExecId(executionId);
  const url = `/api/workflows/executions/${id}`;
  reply.code(202).header("location", url);
  return {
    execution_id: id,
    workflow_id: toWorkflowId(workflow.id),
    status: "running",
    message: "Workflow execution started",
    started_at: toIso(createdAt),
    status_url: url,
  };
}

/** Runs: start, look at. */
export function registerExecutions(app: App, deps: DialectDeps): void {
  const summary = "Run a workflow and wait for its result, or (`options.async`) for nothing";
  app.post("/api/workflows/execute", { schema: { tags, summary, body: EXECUTE } }, async (request, reply) => {
    const options = optionsOf(bodyOf(request));
    return options.isAsync ? accepted(deps, request, reply, options) : whole(deps, request, reply, options);
  });
  const schema = { tags, summary: "A run, with a trace of its nodes", params: ID_PARAM };
  app.get("/api/workflows/executions/:id", { schema }, async (request) => {
    const executionId = parseExecutionId(idOf(request));
    if (executionId === null) throw fail("EXECUTION_NOT_FOUND", { id: idOf(request) });
    return toExecutionView(await deps.graphs.readRun({ accountId: deps.account(request).id, executionId }));
  });
}
