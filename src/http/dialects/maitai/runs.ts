import { fail } from "../../../../runtime/index.ts";
import { parseExecutionId } from "../../ids.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { registerRunLists } from "./run-lists.ts";
import { showRun, toChunkView, toLogView } from "./run-view.ts";

const tags = ["runs"];
const params = {
  type: "object",
  properties: { id: { type: "string", description: "`exec_<32 hex digits>`, or the same as a UUID" } },
};

const MAX_WINDOW = 10_000;
const DEFAULT_WINDOW = 1_000;
const querystring = {
  type: "object",
  additionalProperties: false,
  properties: {
    from: { type: "string", pattern: "^\\d{1,9}$", description: "Index of the first one, default 0" },
    limit: {
      type: "string",
      pattern: "^[1-9]\\d{0,4}$",
      description: `At most this many, up to ${MAX_WINDOW}; default ${DEFAULT_WINDOW}`,
    },
  },
};

interface Target {
  readonly accountId: string;
  readonly executionId: string;
}

function windowOf(request: Request): { readonly from: number; readonly limit: number } {
  const query = request.query as { readonly from?: string; readonly limit?: string };
  return { from: Number(query.from ?? 0), limit: Math.min(MAX_WINDOW, Number(query.limit ?? DEFAULT_WINDOW)) };
}

/** Reading and stopping runs. */
export function registerRuns(app: App, deps: DialectDeps): void {
  const { engine } = deps;
  const targetOf = (request: Request): Target => {
    const { id } = request.params as { readonly id: string };
    const executionId = parseExecutionId(id);
    if (executionId === null) throw fail("EXECUTION_NOT_FOUND", { id });
    return { accountId: deps.account(request).id, executionId };
  };
  const show = async ({ accountId, executionId }: Target) => ({ data: await showRun(deps, accountId, executionId) });

  app.get("/api/v1/runs/:id", { schema: { tags, summary: "One run", params } }, (request) => show(targetOf(request)));
  app.get(
    "/api/v1/runs/:id/logs",
    { schema: { tags, summary: "Log lines of a run", params, querystring } },
    async (request) => {
      const lines = await engine.readLogs({ ...targetOf(request), ...windowOf(request) });
      return { data: lines.map(toLogView) };
    },
  );
  app.get(
    "/api/v1/runs/:id/chunks",
    { schema: { tags, summary: "Chunks that a run emitted", params, querystring } },
    async (request) => {
      const chunks = await engine.readChunks({ ...targetOf(request), ...windowOf(request) });
      return { data: chunks.map(toChunkView) };
    },
  );
  app.post(
    "/api/v1/runs/:id/cancel",
    { schema: { tags, summary: "Stop a run; one that is over stays as it is", params } },
    async (request) => {
      const target = targetOf(request);
      await engine.cancel(target);
      return show(target);
    },
  );
  registerRunLists(app, deps);
}
