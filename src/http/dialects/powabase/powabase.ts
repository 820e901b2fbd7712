import type { Dialect } from "../dialect.ts";
import { ERROR_SCHEMA, toPlainError } from "./errors.ts";
import { registerExecutions } from "./executions.ts";
import { createExecutionRate } from "./rate.ts";
import { registerWebhooks } from "./webhooks.ts";
import { registerWorkflows } from "./workflows.ts";

/** The workflow API of Powabase: blocks and edges, streams of block events, webhooks that take one call. */
export const powabase: Dialect = {
  name: "powabase",
  prefixes: ["/api/"],
  toError: toPlainError,
  errorSchema: ERROR_SCHEMA,
  register(app, deps) {
    registerWorkflows(app, deps);
    registerExecutions(app, deps, createExecutionRate(deps.executionsPerMinute, Date.now));
    registerWebhooks(app, deps);
  },
};
