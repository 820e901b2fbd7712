import { toWorkflowError, type WorkflowError } from "../../../../runtime/index.ts";
import type { ErrorAnswer, Reply, Request } from "../dialect.ts";
import { toStructuredError } from "./errors.ts";

export const tags = ["graphs: powabase"];

/** The id in the path. */
export const idOf = (request: Request): string => (request.params as { readonly id: string }).id;

/** JSON Schema of the path. */
export const ID_PARAM = { type: "object", properties: { id: { type: "string", description: "UUID or ref" } } } as const;

type Handler = (request: Request, reply: Reply) => Promise<unknown>;

function send(reply: Reply, { status, headers, body }: ErrorAnswer): Reply {
  return reply.code(status).headers(headers).send(body);
}

/** Routes whose errors have a code. What is a bug of ours goes on to whoever reports it. */
export function structured(handler: Handler): Handler {
  return async (request, reply) => {
    try {
      return await handler(request, reply);
    } catch (thrown) {
      const error: WorkflowError = toWorkflowError(thrown);
      if (error.code === "INTERNAL") throw thrown;
      return send(reply, toStructuredError(error));
    }
  };
}
