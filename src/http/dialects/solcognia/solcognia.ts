import type { Dialect } from "../dialect.ts";
import { ERROR_SCHEMA, toError } from "./errors.ts";
import { registerExecutions } from "./executions.ts";
import { registerGraphTools } from "./graph-tools.ts";
import { registerWorkflows } from "./workflows.ts";

/** The workflow API of SolCognia: categories, public workflows, ratings, templates. List and create share a path with the Maitai API and are there. */
export const solcognia: Dialect = {
  name: "solcognia",
  prefixes: [
    "/api/v1/workflows/wf_",
    "/api/v1/workflows/templates",
    "/api/v1/workflows/from-template",
    "/api/v1/executions",
    "/api/v1/graphs",
  ],
  toError,
  errorSchema: ERROR_SCHEMA,
  register(app, deps) {
    registerWorkflows(app, deps);
    registerExecutions(app, deps);
    registerGraphTools(app, deps);
  },
};
