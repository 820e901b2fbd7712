import { fail, toWorkflowError, type WorkflowError } from "../../../../runtime/index.ts";
import { parseJsonBody } from "../../json-body.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { queryText } from "../graph-views/body.ts";
import { toPlainError, toStructuredBody } from "./errors.ts";
import { tags } from "./routes.ts";

const PARAMS = {
  type: "object",
  properties: { id: { type: "string", description: "`webhook_id` of the block" } },
} as const;

/** The secret: of the header where there is one, also an empty one, else of the query. */
function secretOf(request: Request): string | null {
  const { authorization } = request.headers;
  const bearer = /^bearer(?: +(.*))?$/i.exec(authorization ?? "");
  return bearer === null ? queryText(request, "token") : (bearer[1] ?? "").trim();
}

/** The body as JSON; whatever else it is counts as nothing. */
function payloadOf({ body }: Request): unknown {
  try {
    return parseJsonBody(String(body ?? "")) ?? {};
  } catch {
    return {};
  }
}

const CODES: Readonly<Record<string, string>> = {
  INVALID_REQUEST: "VALIDATION_ERROR",
  NOT_FOUND: "WORKFLOW_NOT_FOUND",
};

function refused(error: WorkflowError, reply: Reply): Reply {
  const { status, headers, body } = toPlainError(error);
  const text = error.code === "UNAUTHENTICATED" || error.code === "FORBIDDEN" ? error.message : null;
  const code = CODES[error.code];
  const shown = {
    ...(body as object),
    ...(text === null ? {} : { error: text }),
    ...(code === undefined ? {} : { error_code: code }),
  };
  return reply.code(status).headers(headers).send(shown);
}

async function call({ graphs, requestId }: DialectDeps, request: Request, reply: Reply): Promise<unknown> {
  const { id: triggerId } = request.params as { readonly id: string };
  const asked = { triggerId, secret: secretOf(request), payload: payloadOf(request), requestId: requestId(request) };
  const invocation = await graphs.trigger(asked);
  const result = await invocation.result;
  const { executionId } = invocation;
  if (result.status === "completed")
    return { execution_id: executionId, status: "completed", output: JSON.parse(result.output) as unknown };
  const { error } = result;
  reply.code(fail(error.code, error.details).status);
  const body = toStructuredBody({ ...error, details: {} }, executionId);
  // Whoever calls a webhook is no one of ours: what went wrong inside is not for them.
  return error.code === "EXECUTION_TIMEOUT" ? body : { ...body, error: "Execution failed" };
}

/** Calls from outside, by the secret of a webhook block alone. */
export function registerWebhooks(app: App, deps: DialectDeps): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "string" }, (_request, text, done) => done(null, text));
    const summary = "Run the workflow of a webhook block, by its secret";
    const schema = { tags, summary, params: PARAMS, security: [] };
    scope.post("/api/webhooks/:id", { schema, config: { public: true } }, async (request, reply) => {
      try {
        return await call(deps, request as Request, reply as Reply);
      } catch (thrown) {
        const error = toWorkflowError(thrown);
        if (error.code === "INTERNAL") throw thrown;
        return refused(error, reply as Reply);
      }
    });
  });
}
