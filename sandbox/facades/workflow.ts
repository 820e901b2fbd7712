import { call } from "../call.ts";

/** ctx.workflow. */
export function createWorkflow(): object {
  return { completions: { create: (params: unknown) => call("workflow.completions.create", params) } };
}
