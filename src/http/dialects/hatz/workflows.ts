import { fail } from "../../../../runtime/index.ts";
import { EXPIRES_IN, MAX_EXPIRES_IN } from "../../../engine/files/file-service.ts";
import type { GraphWorkflow } from "../../../engine/graphs/graph-service.ts";
import { parseExecutionId } from "../../ids.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { bodyOf, flag, isFields, queryNumber, queryText, refuse, requiredText } from "../graph-views/body.ts";
import { toCall } from "../graph-views/call.ts";
import { stepId, stepsOf, toApp, toJob } from "./views.ts";

const tags = ["graphs: hatz"];
const PARAMS = { type: "object", properties: { id: { type: "string", description: "UUID" } } } as const;
const LIMIT = { usual: 100, min: 1, max: 1_000 };
const OFFSET = { usual: 0, min: 0, max: 1_000_000 };

const idOf = (request: Request): string => (request.params as { readonly id: string }).id;

function inputsOf(request: Request): Readonly<Record<string, unknown>> {
  const { inputs } = bodyOf(request);
  if (isFields(inputs)) return inputs;
  if (inputs === undefined || inputs === null)
    throw fail("INVALID_REQUEST", { message: "inputs: is required", param: "inputs" });
  throw refuse("inputs", "must be an object", inputs);
}

/** Inputs that are files must be there before a job is made. */
async function checkFiles(
  deps: DialectDeps,
  accountId: string,
  found: GraphWorkflow,
  inputs: Readonly<Record<string, unknown>>,
) {
  for (const { name, type } of deps.graphs.inputsOf(found)) {
    const id = inputs[name];
    if (type !== "file" || id === undefined || id === null) continue;
    const param = `inputs.${name}`;
    if (typeof id !== "string") throw refuse(param, "must be the UUID of a file", id);
    await deps.files.find({ accountId, id }).catch((cause: unknown) => {
      throw fail(
        "INVALID_REQUEST",
        { message: `${param}: there is no file ${JSON.stringify(id.slice(0, 60))}`, param },
        cause,
      );
    });
  }
}

function registerRun(app: App, deps: DialectDeps): void {
  const schema = { tags, summary: "Run a workflow in the background: `app_id`, `inputs`, `is_draft_app`" };
  app.post("/v1/workflows/run", { schema }, async (request) => {
    const body = bodyOf(request);
    const key = requiredText(body, "app_id");
    const inputs = inputsOf(request);
    const isDraft = flag(body, "is_draft_app", false);
    const accountId = deps.account(request).id;
    await checkFiles(deps, accountId, await deps.graphs.find({ accountId, key }), inputs);
    const version = isDraft ? "active" : "published";
    const call = toCall(deps, request, { key, input: inputs, mode: "background", version });
    const { executionId } = await deps.graphs.run(call);
    return { status: "Workflow Job Invoked", job_id: executionId };
  });
}

async function jobOf({ graphs, account }: DialectDeps, request: Request, id: string) {
  const executionId = parseExecutionId(id);
  if (executionId === null) throw fail("EXECUTION_NOT_FOUND", { id });
  return graphs.readRun({ accountId: account(request).id, executionId });
}

function registerJobs(app: App, deps: DialectDeps): void {
  const read = { tags, summary: "How far a job is, with what its steps said", params: PARAMS };
  app.get("/v1/workflows/:id", { schema: read }, async (request) =>
    toJob(await jobOf(deps, request, idOf(request)), deps.account(request).key.name),
  );
  const link = { tags, summary: "A link to the file that a step made: `job_id`, `step_id`, `expires_in`" };
  app.post("/v1/workflows/presigned-url", { schema: link }, async (request) => {
    const body = bodyOf(request);
    const [jobId, wanted] = [requiredText(body, "job_id"), requiredText(body, "step_id")];
    const { expires_in: expiresIn = EXPIRES_IN } = body;
    const isSeconds = typeof expiresIn === "number" && Number.isInteger(expiresIn);
    if (!isSeconds || expiresIn < 1 || expiresIn > MAX_EXPIRES_IN)
      throw refuse("expires_in", `must be an integer from 1 to ${MAX_EXPIRES_IN}`, expiresIn);
    const run = await jobOf(deps, request, jobId);
    const step = stepsOf(run).find((node) => stepId(run.execution.id, node) === wanted);
    if (step === undefined) throw fail("NOT_FOUND", { message: "Step not found" });
    const file =
      step.files[0] ?? (await writtenBy(deps, request, run.execution.id, step.kind === "code" && run.graph === null));
    if (file === undefined) throw fail("NOT_FOUND", { message: "Step has no file output" });
    const { url } = await deps.files.presign({ accountId: deps.account(request).id, id: file }, expiresIn);
    return { url, expires_in: expiresIn };
  });
}

/** The first file that a script wrote, whether its output names it or not. */
async function writtenBy(
  deps: DialectDeps,
  request: Request,
  executionId: string,
  isScript: boolean,
): Promise<string | undefined> {
  if (!isScript) return undefined;
  const [first] = await deps.files.outputs({ accountId: deps.account(request).id, executionId });
  return first?.id;
}

function registerApps(app: App, deps: DialectDeps): void {
  const { graphs, account } = deps;
  const query = {
    type: "object",
    properties: {
      name: { type: "string", description: "Part of the name" },
      limit: { type: "string", description: "1 to 1000, default 100" },
      offset: { type: "string" },
    },
  } as const;
  app.get("/v1/app/list", { schema: { tags, summary: "Workflows as apps", querystring: query } }, async (request) => {
    const limit = queryNumber(request, "limit", LIMIT);
    const offset = queryNumber(request, "offset", OFFSET);
    const found = await graphs.list({
      accountId: account(request).id,
      query: queryText(request, "name"),
      limit,
      offset,
    });
    return { data: found.items.map((one) => toApp(one, graphs)) };
  });
  app.get("/v1/app/:id", { schema: { tags, summary: "A workflow as an app", params: PARAMS } }, async (request) =>
    toApp(await graphs.find({ accountId: account(request).id, key: idOf(request) }), graphs),
  );
}

/** Apps, jobs and links to their files. */
export function registerWorkflows(app: App, deps: DialectDeps): void {
  registerRun(app, deps);
  registerJobs(app, deps);
  registerApps(app, deps);
}
