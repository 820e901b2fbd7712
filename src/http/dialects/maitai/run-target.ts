import { fail } from "../../../../runtime/index.ts";
import { parseExecutionId } from "../../ids.ts";
import type { DialectDeps, Request } from "../dialect.ts";

/** JSON Schema of the path parameter of one run. */
export const RUN_PARAMS = {
  type: "object",
  properties: { id: { type: "string", description: "`exec_<32 hex digits>`, or the same as a UUID" } },
};

/** A run named by a request. */
export interface RunTarget {
  readonly accountId: string;
  readonly executionId: string;
}

/** The run that the path names; EXECUTION_NOT_FOUND for a text that is no id. */
export function runTargetOf(deps: Pick<DialectDeps, "account">, request: Request): RunTarget {
  const { id } = request.params as { readonly id: string };
  const executionId = parseExecutionId(id);
  if (executionId === null) throw fail("EXECUTION_NOT_FOUND", { id });
  return { accountId: deps.account(request).id, executionId };
}
