import { DOWNLOAD_FORMATS, type DownloadFormat } from "../../../engine/datastores/datastore-service.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { asRequest } from "./datastore-body.ts";
import { DATASTORE, DATASTORE_PARAMS, datastoreOf, tags } from "./datastore-routes.ts";
import { COUNT_SCHEMA, QUERY_SCHEMA, SEARCH_SCHEMA } from "./datastore-schema.ts";
import { goneSignal } from "./gone-signal.ts";

const TYPES: Readonly<Record<DownloadFormat, string>> = {
  jsonl: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8",
  sqlite: "application/vnd.sqlite3",
};
const JSON_TYPE = "application/json; charset=utf-8";
const DOWNLOAD_QUERY = {
  type: "object",
  additionalProperties: false,
  properties: { format: { type: "string", enum: DOWNLOAD_FORMATS, description: "Default jsonl" } },
} as const;

/** Searches, queries, counts and downloads. */
export function registerDatastoreReads(app: App, deps: DialectDeps): void {
  const { datastores } = deps;
  const readOf = (request: Request, reply: Reply) => ({ ...datastoreOf(deps, request), signal: goneSignal(reply) });
  const answer = (reply: Reply, { text, revision }: { readonly text: string; readonly revision: number }) =>
    reply.type(JSON_TYPE).send(`{"data":${text},"revision":${revision}}`);

  const search = {
    tags,
    summary: "Search by keyword, vector or both",
    description:
      "`mode` vector or hybrid makes the query's text into a vector where the datastore's were made by a model.",
    params: DATASTORE_PARAMS,
    body: SEARCH_SCHEMA,
  };
  app.post(`${DATASTORE}/search`, { schema: search }, async (request, reply) => {
    const params = request.body as Readonly<Record<string, unknown>>;
    const { text, revision, usage } = await asRequest(datastores.search({ ...readOf(request, reply), params }));
    const cost = `"tokens":${usage.tokens},"cost_usd":${usage.costUsd}`;
    return reply.type(JSON_TYPE).send(`{"data":${text},"revision":${revision},${cost}}`);
  });
  const query = {
    tags,
    summary: "One SELECT, read-only, with bound values",
    params: DATASTORE_PARAMS,
    body: QUERY_SCHEMA,
  };
  app.post(`${DATASTORE}/query`, { schema: query }, async (request, reply) => {
    const { sql, params } = request.body as { readonly sql: string; readonly params?: unknown };
    return answer(reply, await asRequest(datastores.query({ ...readOf(request, reply), sql, params })));
  });
  const count = { tags, summary: "How many records fit a filter", params: DATASTORE_PARAMS, body: COUNT_SCHEMA };
  app.post(`${DATASTORE}/count`, { schema: count }, async (request, reply) => {
    const { filter } = request.body as { readonly filter?: unknown };
    return answer(reply, await asRequest(datastores.count({ ...readOf(request, reply), filter })));
  });
  const download = { tags, summary: "All records as a file", params: DATASTORE_PARAMS, querystring: DOWNLOAD_QUERY };
  app.get(`${DATASTORE}/download`, { schema: download }, async (request, reply) => {
    const { format = "jsonl" } = request.query as { readonly format?: DownloadFormat };
    const { name } = await datastores.find(datastoreOf(deps, request));
    const stream = await asRequest(datastores.download({ ...readOf(request, reply), format }));
    return reply
      .type(TYPES[format])
      .header("content-disposition", `attachment; filename="${name}.${format}"`)
      .send(stream);
  });
}
