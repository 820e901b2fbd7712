import { fail } from "../../../../runtime/index.ts";
import type { ChangeReport } from "../../../engine/datastores/datastore-service.ts";
import { parseJsonBody } from "../../json-body.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { asRequest } from "./datastore-body.ts";
import { DATASTORE, DATASTORE_PARAMS, datastoreOf, tags } from "./datastore-routes.ts";
import { IDS_SCHEMA, RECORDS_QUERY } from "./datastore-schema.ts";
import { goneSignal } from "./gone-signal.ts";

const RECORDS = `${DATASTORE}/records`;
const RECORD_PARAMS = {
  ...DATASTORE_PARAMS,
  properties: { ...DATASTORE_PARAMS.properties, id: { type: "string" } },
} as const;
/** Records of one request. */
const MAX_RECORDS = 10_000;
const LINES = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const CURSOR = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;

/** The records of a body of JSON lines; INVALID_REQUEST names the line. */
function parseLines(text: string): readonly unknown[] {
  const records: unknown[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      records.push(parseJsonBody(line));
    } catch (cause) {
      const message = `body, line ${index + 1}: ${cause instanceof Error ? cause.message : "is not JSON"}`;
      throw fail("INVALID_REQUEST", { message, param: null, line: index + 1 }, cause);
    }
  }
  return records;
}

function recordsOf({ body }: Request): readonly unknown[] {
  const records = Array.isArray(body) ? (body as readonly unknown[]) : [body];
  if (records.length > 0 && records.length <= MAX_RECORDS && !records.includes(undefined)) return records;
  const message = `body: must be 1 to ${MAX_RECORDS} records, as a JSON array or as JSON lines, got ${records.length}; import larger files`;
  throw fail("INVALID_REQUEST", { message, param: null, value: records.length });
}

const toView = ({ usage, ...report }: ChangeReport) => ({ ...report, tokens: usage.tokens, cost_usd: usage.costUsd });

function registerChanging(app: App, deps: DialectDeps): void {
  const { datastores } = deps;
  const readOf = (request: Request, reply: Reply) => ({ ...datastoreOf(deps, request), signal: goneSignal(reply) });
  const upsert = {
    tags,
    summary: "Add records, or replace those with the same ids; a JSON array or JSON lines",
    params: DATASTORE_PARAMS,
    consumes: ["application/json", "application/x-ndjson"],
  };
  app.register((scope, _options, done) => {
    scope.addContentTypeParser(LINES, { parseAs: "string" }, (_request, text, parsed) => {
      try {
        parsed(null, parseLines(String(text)));
      } catch (error) {
        parsed(error as Error);
      }
    });
    scope.post(RECORDS, { schema: upsert }, async (request, reply) => ({
      data: toView(await asRequest(datastores.upsert({ ...readOf(request, reply), records: recordsOf(request) }))),
    }));
    done();
  });
  const remove = { tags, summary: "Delete a record", params: RECORD_PARAMS };
  app.delete(`${RECORDS}/:id`, { schema: remove }, async (request, reply) => {
    const { id } = request.params as { readonly id: string };
    const report = await asRequest(datastores.removeRecords({ ...readOf(request, reply), ids: [id] }));
    if (report.removed === 0) throw notFound(id);
    return { data: { deleted: true, revision: report.revision, rows: report.rows } };
  });
  const several = { tags, summary: "Delete records by their ids", params: DATASTORE_PARAMS, body: IDS_SCHEMA };
  app.post(`${RECORDS}/delete`, { schema: several }, async (request, reply) => {
    const { ids } = request.body as { readonly ids: readonly string[] };
    return { data: toView(await asRequest(datastores.removeRecords({ ...readOf(request, reply), ids }))) };
  });
}

const notFound = (id: string) =>
  fail("NOT_FOUND", { message: `Record not found: ${id.slice(0, 100)}`, code: "record_not_found" });

/** Sends JSON text as it is: it need not be parsed to be written again. */
function sendText(reply: Reply, text: string): Reply {
  return reply.type("application/json; charset=utf-8").send(text);
}

function registerGet(app: App, deps: DialectDeps): void {
  const { datastores } = deps;
  const one = { tags, summary: "A record by its id", params: RECORD_PARAMS };
  app.get(`${RECORDS}/:id`, { schema: one }, async (request, reply) => {
    const { id } = request.params as { readonly id: string };
    const asked = { ...datastoreOf(deps, request), signal: goneSignal(reply), ids: [id] };
    const { text, revision } = await asRequest(datastores.get(asked));
    if (text === "[null]") throw notFound(id);
    return sendText(reply, `{"data":${text.slice(1, -1)},"revision":${revision}}`);
  });
  const several = {
    tags,
    summary: "Records by their ids, null where there is none",
    params: DATASTORE_PARAMS,
    body: IDS_SCHEMA,
  };
  app.post(`${RECORDS}/get`, { schema: several }, async (request, reply) => {
    const { ids } = request.body as { readonly ids: readonly string[] };
    const asked = { ...datastoreOf(deps, request), signal: goneSignal(reply), ids };
    const { text, revision } = await asRequest(datastores.get(asked));
    return sendText(reply, `{"data":${text},"revision":${revision}}`);
  });
}

interface RecordsQuery {
  readonly filter?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

function filterOf({ filter }: RecordsQuery): unknown {
  if (filter === undefined) return undefined;
  try {
    return parseJsonBody(filter);
  } catch (cause) {
    throw fail("INVALID_REQUEST", { message: "filter: must be a JSON object", param: "filter" }, cause);
  }
}

function afterOf({ cursor }: RecordsQuery) {
  if (cursor === undefined) return null;
  const [, base, revision, row] = CURSOR.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (row !== undefined) return { base: Number(base), revision: Number(revision), row: Number(row) };
  throw fail("INVALID_REQUEST", { message: "cursor: is not one of this list", param: "cursor" });
}

function registerList(app: App, deps: DialectDeps): void {
  const list = {
    tags,
    summary: "Records in the order in which they were written, all pages at the revision of the first",
    params: DATASTORE_PARAMS,
    querystring: RECORDS_QUERY,
  };
  app.get(RECORDS, { schema: list }, async (request, reply) => {
    const query = request.query as RecordsQuery;
    const limit = Math.min(MAX_LIMIT, Number(query.limit ?? DEFAULT_LIMIT));
    const after = afterOf(query);
    const asked = { ...datastoreOf(deps, request), signal: goneSignal(reply), filter: filterOf(query), limit, after };
    const { text, base, revision } = await asRequest(deps.datastores.scan(asked));
    const page = JSON.parse(text) as { readonly records: readonly unknown[]; readonly after: number | null };
    const at = `${base}.${after?.revision ?? revision}.${page.after}`;
    const next = page.after === null ? null : Buffer.from(at).toString("base64url");
    return { data: page.records, revision: after?.revision ?? revision, next_cursor: next };
  });
}

/** Single records: add, replace, delete, read, list. */
export function registerDatastoreRecords(app: App, deps: DialectDeps): void {
  registerChanging(app, deps);
  registerGet(app, deps);
  registerList(app, deps);
}
