import { toWorkflowError } from "../../../../runtime/index.ts";
import type { Reply, Request } from "../dialect.ts";
import { toError } from "./errors.ts";

type Handler = (request: Request, reply: Reply) => Promise<unknown>;

/** A handler on a path that two APIs share: what goes wrong is said in the words of this one. */
export function worded(handler: Handler): Handler {
  return async (request, reply) => {
    try {
      return await handler(request, reply);
    } catch (thrown) {
      const error = toWorkflowError(thrown);
      if (error.code === "INTERNAL") throw thrown;
      const { status, headers, body } = toError(error, request.id);
      return reply.code(status).headers(headers).send(body);
    }
  };
}
