import { type Format, fail } from "../../../../runtime/index.ts";
import type { Staged } from "../../../engine/datastores/datastore-service.ts";
import { bodyOf, formOf, takeAnyBody } from "../../incoming.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import {
  type CheckDefinition,
  definitionOf,
  formatOf,
  type ImportQuery,
  optionsOf,
  toImportView,
} from "./datastore-body.ts";
import { DATASTORE, DATASTORE_PARAMS, datastoreOf, tags } from "./datastore-routes.ts";
import { DEFINITION_PROPERTIES, IMPORT_QUERY } from "./datastore-schema.ts";
import { goneSignal } from "./gone-signal.ts";

const IMPORTS = `${DATASTORE}/imports`;
const DEFINITION_SCHEMA = { type: "object", additionalProperties: false, properties: DEFINITION_PROPERTIES } as const;
const IMPORT_PARAMS = {
  ...DATASTORE_PARAMS,
  properties: { ...DATASTORE_PARAMS.properties, id: { type: "string", description: "`imp_<32 hex digits>`" } },
} as const;

/** The check of a definition that came as text in a query. */
export function definitionCheck(request: Request): CheckDefinition {
  const validate = request.compileValidationSchema(DEFINITION_SCHEMA);
  return (value) => (validate(value) ? [] : ((validate.errors ?? []) as ReturnType<CheckDefinition>));
}

function required(format: Format | undefined): Format {
  if (format !== undefined) return format;
  throw fail("INVALID_REQUEST", { message: "format: is required for a raw body", param: "format" });
}

interface Taken {
  readonly staged: Staged;
  readonly format: Format;
}

async function takeForm(deps: DialectDeps, request: Request, signal: AbortSignal, format?: Format): Promise<Taken> {
  const { filename, source: body } = await formOf(request, deps.limits.maxImportBytes);
  const known = format ?? formatOf(filename, "file");
  const accountId = deps.account(request).id;
  return { format: known, staged: await deps.datastores.stage({ accountId, body, length: null, signal }) };
}

async function take(deps: DialectDeps, request: Request, signal: AbortSignal): Promise<Taken> {
  const { format } = request.query as ImportQuery;
  if (request.isMultipart()) return takeForm(deps, request, signal, format);
  const known = required(format);
  const { source: body, declared: length } = bodyOf(request);
  const accountId = deps.account(request).id;
  return { format: known, staged: await deps.datastores.stage({ accountId, body, length, signal }) };
}

async function importBody(deps: DialectDeps, request: Request, reply: Reply): Promise<Reply> {
  const name = datastoreOf(deps, request);
  const query = request.query as ImportQuery;
  const asked = {
    ...name,
    creates: query.create === "true",
    options: optionsOf(query),
    definition: definitionOf(query, definitionCheck(request)),
  };
  await deps.datastores.checkImport(asked);
  const { staged, format } = await take(deps, request, goneSignal(reply));
  const data = toImportView(await deps.datastores.addImport(staged, { ...asked, format }), request.id);
  return reply
    .code(202)
    .header("location", (data as { readonly url: string }).url)
    .send({ data });
}

/** The body is not read before the handler takes it to the disk, piece by piece. */
function registerUpload(app: App, deps: DialectDeps): void {
  const schema = {
    tags,
    summary: "Replace the records of a datastore by those of a file: raw, or the file of a form",
    description:
      "Answers as soon as all bytes are on the disk. Readers see the records of before until all new ones are there; a file with an error changes nothing.",
    params: DATASTORE_PARAMS,
    querystring: IMPORT_QUERY,
    consumes: ["application/octet-stream", "text/csv", "application/x-ndjson", "multipart/form-data"],
    response: { 202: { description: "The import, to be polled.", type: "object" } },
  };
  app.register((scope, _options, done) => {
    takeAnyBody(scope);
    scope.post(`${DATASTORE}/import`, { schema, config: { longBody: true } }, (request, reply) =>
      importBody(deps, request, reply),
    );
    done();
  });
}

/** Imports of files into datastores. */
export function registerDatastoreImports(app: App, deps: DialectDeps): void {
  const { datastores } = deps;
  registerUpload(app, deps);
  const importOf = (request: Request) => ({
    ...datastoreOf(deps, request),
    importId: (request.params as { readonly id: string }).id,
  });
  const list = { tags, summary: "The last imports of a datastore, newest first", params: DATASTORE_PARAMS };
  app.get(IMPORTS, { schema: list }, async (request) => {
    const items = await datastores.imports(datastoreOf(deps, request));
    return { data: items.map((item) => toImportView(item, request.id)) };
  });
  const one = { tags, summary: "An import: how far it is, or how it ended", params: IMPORT_PARAMS };
  app.get(`${IMPORTS}/:id`, { schema: one }, async (request) => ({
    data: toImportView(await datastores.import(importOf(request)), request.id),
  }));
  const cancel = { tags, summary: "Cancel an import; the records of before stay", params: IMPORT_PARAMS };
  app.delete(`${IMPORTS}/:id`, { schema: cancel }, async (request) => ({
    data: toImportView(await datastores.cancelImport(importOf(request)), request.id),
  }));
}
