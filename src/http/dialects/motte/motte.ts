import type { Dialect } from "../dialect.ts";
import { ERROR_SCHEMA, toError } from "./errors.ts";
import { registerExecutions } from "./executions.ts";
import { registerWorkflows } from "./workflows.ts";

/** The workflow API of MotteAF: nodes and edges, updates that are merged, traces. */
export const motte: Dialect = {
  name: "motte",
  prefixes: ["/api/workflows/create", "/api/workflows/execute", "/api/workflows/executions/", "/api/workflows/wf_"],
  toError,
  errorSchema: ERROR_SCHEMA,
  register(app, deps) {
    registerWorkflows(app, deps);
    registerExecutions(app, deps);
  },
};
