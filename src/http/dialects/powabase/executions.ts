import { fail } from "../../../../runtime/index.ts";
import type { Invocation } from "../../../engine/engine.ts";
import { parseExecutionId } from "../../ids.ts";
import { waitHeaders } from "../../wait-headers.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { bodyOf, queryNumber, refuse } from "../graph-views/body.ts";
import { toCall } from "../graph-views/call.ts";
import { finalOutput } from "../graph-views/run-facts.ts";
import { toPlainError, toStructuredBody } from "./errors.ts";
import type { ExecutionRate } from "./rate.ts";
import { ID_PARAM, idOf, structured, tags } from "./routes.ts";
import { streamRun } from "./stream.ts";
import { blockOutputs, toExecutionRow, toLogs } from "./views.ts";

const PATH = "/api/workflows/:id";
const LIMIT = { usual: 20, min: 1, max: 100 };
const OFFSET = { usual: 0, min: 0, max: 100_000 };

/** `variables`, else the older `input`, else none. */
function variablesOf(request: Request): unknown {
  const body = bodyOf(request, true);
  const variables = body["variables"] ?? body["input"] ?? {};
  if (typeof variables === "object") return variables;
  throw refuse(body["variables"] === undefined ? "input" : "variables", "must be an object", variables);
}

const EXECUTE = {
  type: ["object", "null"],
  properties: {
    variables: { description: "Names and values of the inputs" },
    input: { description: "Older name of variables" },
  },
} as const;

async function whole(deps: DialectDeps, request: Request, reply: Reply, invocation: Invocation): Promise<unknown> {
  const { executionId } = invocation;
  const result = await invocation.result;
  reply.header("x-weft-cache", invocation.cache);
  if (result.status !== "completed") {
    const { error } = result;
    reply.code(error.status ?? fail(error.code, error.details).status).headers(waitHeaders(error));
    return toStructuredBody(error, executionId);
  }
  const run = await deps.graphs.readRun({ accountId: deps.account(request).id, executionId });
  return {
    execution_id: executionId,
    status: "completed",
    output: finalOutput(run),
    block_outputs: blockOutputs(run),
    block_logs: toLogs(run, "config"),
  };
}

/** Too many executions are told without a code, whatever the route. */
function takeRate(rate: ExecutionRate, deps: DialectDeps, request: Request, reply: Reply): Reply | null {
  const { id, key } = deps.account(request);
  try {
    rate.take(id, key.name);
    return null;
  } catch (thrown) {
    const { status, headers, body } = toPlainError(thrown as Parameters<typeof toPlainError>[0]);
    return reply.code(status).headers(headers).send(body);
  }
}

function registerCalls(app: App, deps: DialectDeps, rate: ExecutionRate): void {
  const { graphs } = deps;
  const begin = (request: Request, mode: "sync" | "stream", input: unknown) =>
    graphs.run(toCall(deps, request, { key: idOf(request), mode, input }));
  const sync = { tags, summary: "Run a workflow and wait", params: ID_PARAM, body: EXECUTE };
  app.post(
    `${PATH}/execute`,
    { schema: sync },
    structured(async (request, reply) => {
      const input = variablesOf(request);
      await graphs.find({ accountId: deps.account(request).id, key: idOf(request) });
      const refused = takeRate(rate, deps, request, reply);
      return refused ?? whole(deps, request, reply, await begin(request, "sync", input));
    }),
  );
  const stream = {
    tags,
    summary: "Run a workflow and follow its blocks by server-sent events",
    params: ID_PARAM,
    body: EXECUTE,
    response: { 200: { description: "Events", content: { "text/event-stream": { schema: { type: "string" } } } } },
  };
  app.post(
    `${PATH}/execute/stream`,
    { schema: stream },
    structured(async (request, reply) => {
      const input = variablesOf(request);
      await graphs.find({ accountId: deps.account(request).id, key: idOf(request) });
      const refused = takeRate(rate, deps, request, reply);
      return refused ?? streamRun(deps, request, reply, await begin(request, "stream", input));
    }),
  );
}

function registerHistory(app: App, { graphs, engine, account }: DialectDeps): void {
  const list = { tags, summary: "Runs of a workflow, newest first", params: ID_PARAM };
  app.get(`${PATH}/executions`, { schema: list }, async (request) => {
    const accountId = account(request).id;
    const limit = queryNumber(request, "limit", LIMIT);
    const offset = queryNumber(request, "offset", OFFSET);
    const page = await graphs.listRuns({ accountId, key: idOf(request), statuses: null, limit, offset });
    const rows = page.items.map(({ id: executionId }) => engine.findExecution({ accountId, executionId }));
    return { executions: (await Promise.all(rows)).map(toExecutionRow) };
  });
  const logs = { tags, summary: "What each block of a run did" };
  app.get(`${PATH}/executions/:execution/logs`, { schema: logs }, async (request) => {
    const { execution } = request.params as { readonly execution: string };
    const accountId = account(request).id;
    await graphs.find({ accountId, key: idOf(request) });
    const executionId = parseExecutionId(execution);
    if (executionId === null) throw fail("EXECUTION_NOT_FOUND", { id: execution });
    return {
      block_logs: toLogs(await graphs.readRun({ accountId, executionId, key: idOf(request) }), "config_snapshot"),
    };
  });
}

/** Runs: start, follow, look at. */
export function registerExecutions(app: App, deps: DialectDeps, rate: ExecutionRate): void {
  registerCalls(app, deps, rate);
  registerHistory(app, deps);
}
