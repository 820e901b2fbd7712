import type { RunQuery } from "../../../engine/run-list.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { ALL_RUNS_QUERY, RUNS_QUERY, toRunQuery } from "./run-filter.ts";
import { toRunSummary, versionNumberOf } from "./run-view.ts";

const tags = ["runs"];
const description =
  "Newest first, without inputs and outputs. `pagination.next_cursor` leads to the next page and is null at the end; a page may hold fewer runs than `limit` and still have one. `total` is null where it would have to be counted.";

const queryOf = (request: Request) => request.query as Parameters<typeof toRunQuery>[0];

async function showPage(deps: DialectDeps, query: RunQuery): Promise<object> {
  const { items, total, next } = await deps.engine.listExecutions(query);
  const data = await Promise.all(items.map(async (one) => toRunSummary(one, await versionNumberOf(deps, one))));
  return { data, pagination: { total, offset: query.offset, limit: query.limit, next_cursor: next } };
}

/** Lists of runs: of the account and of one workflow. */
export function registerRunLists(app: App, deps: DialectDeps): void {
  const all = { tags, summary: "Runs of all workflows", description, querystring: ALL_RUNS_QUERY };
  app.get("/api/v1/runs", { schema: all }, (request) =>
    showPage(deps, toRunQuery(queryOf(request), deps.account(request).id, null)),
  );
  const params = { type: "object", properties: { ref: { type: "string", description: "Ref name, number or UUID" } } };
  const ofOne = { tags, summary: "Runs of a workflow", description, params, querystring: RUNS_QUERY };
  app.get("/api/v1/workflows/:ref/runs", { schema: ofOne }, (request) => {
    const { ref } = request.params as { readonly ref: string };
    return showPage(deps, toRunQuery(queryOf(request), deps.account(request).id, ref));
  });
}
