import { fail } from "../../../../runtime/index.ts";
import { parseExecutionId, toExecId } from "../../ids.ts";
import type { App, DialectDeps } from "../dialect.ts";
import { idempotencyKeyOf, KEY_DOCS } from "./idempotency-key.ts";
import { showRun } from "./run-view.ts";

interface ForkBody {
  readonly at?: number;
  readonly version?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

const FORK_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    at: {
      type: "integer",
      minimum: 0,
      description:
        "Ctx calls below this position are taken over from the run; default: all that are recorded. At most up to a question that nobody has decided: it is asked anew.",
    },
    version: { type: "string", description: "Version to go on with; default: the run's own. `draft` is the newest." },
    set: {
      type: "object",
      description:
        'Values to change, by dotted path: `{"input.customer": 42}`; roots: input, messages, params, metadata, env',
    },
    secrets: {
      type: "object",
      additionalProperties: { type: "string" },
      description: "Values for this run only; those of the run must be given again.",
    },
  },
} as const;

/** Runs that go on from a recorded beginning. */
export function registerFork(app: App, deps: DialectDeps): void {
  const params = {
    type: "object",
    properties: { id: { type: "string", description: "`exec_<32 hex digits>`, or the same as a UUID" } },
  };
  const summary = "Start a run that shares the beginning of this one and pays only for what follows";
  app.post(
    "/api/v1/runs/:id/fork",
    { schema: { tags: ["runs"], summary, description: KEY_DOCS, params, body: FORK_SCHEMA } },
    async (request, reply) => {
      const { id } = request.params as { readonly id: string };
      const executionId = parseExecutionId(id);
      if (executionId === null) throw fail("EXECUTION_NOT_FOUND", { id });
      const { at = null, version = null, set = {}, secrets = {} } = request.body as ForkBody;
      const { id: accountId, key: apiKey } = deps.account(request);
      const idempotencyKey = idempotencyKeyOf(request.headers);
      const asked = { accountId, key: apiKey.name, executionId, at, version, set, secrets, idempotencyKey };
      const forked = await deps.engine.fork(asked);
      const run = await showRun(deps, accountId, forked);
      return reply
        .code(202)
        .header("location", `/api/v1/runs/${toExecId(forked)}`)
        .send({ ...run, forked_from: toExecId(executionId) });
    },
  );
}
