import type { App, DialectDeps, Request } from "../dialect.ts";
import { showRunDetail } from "./run-detail-view.ts";
import { registerRunEvents } from "./run-events.ts";
import { registerRunLists } from "./run-lists.ts";
import { registerRunStream } from "./run-stream.ts";
import { RUN_PARAMS as params, type RunTarget, runTargetOf } from "./run-target.ts";
import { registerTrace } from "./run-trace.ts";
import { toChunkView, toLogView } from "./run-view.ts";

const tags = ["runs"];

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

function windowOf(request: Request): { readonly from: number; readonly limit: number } {
  const query = request.query as { readonly from?: string; readonly limit?: string };
  return { from: Number(query.from ?? 0), limit: Math.min(MAX_WINDOW, Number(query.limit ?? DEFAULT_WINDOW)) };
}

/** Reading and stopping runs. */
export function registerRuns(app: App, deps: DialectDeps): void {
  const { engine } = deps;
  const targetOf = (request: Request) => runTargetOf(deps, request);
  const show = async (target: RunTarget) => ({ data: await showRunDetail(deps, target) });

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
  const removal =
    "With its journal, output and children, and the cached results of its and their calls. One that goes on is cancelled first.";
  app.delete(
    "/api/v1/runs/:id",
    { schema: { tags, summary: "Remove a run", description: removal, params } },
    async (request) => {
      await engine.remove(targetOf(request));
      return { data: { deleted: true } };
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
  app.post(
    "/api/v1/runs/:id/resume",
    {
      schema: {
        tags,
        summary: "Let a failed run go on from its failed ctx call",
        description:
          "What was done and paid before is kept. Others than failed runs, nested ones and those whose secrets are gone get 409.",
        params,
      },
    },
    async (request) => {
      const target = targetOf(request);
      await engine.resume(target);
      return show(target);
    },
  );
  registerTrace(app, deps);
  registerRunStream(app, deps);
  registerRunEvents(app, deps);
  registerRunLists(app, deps);
}
