import type { App, DialectDeps } from "../dialect.ts";
import { type DefinitionBody, toDatastoreView, toDefinition } from "./datastore-body.ts";
import { registerDatastoreImports } from "./datastore-imports.ts";
import { registerDatastoreReads } from "./datastore-reads.ts";
import { registerDatastoreRecords } from "./datastore-records.ts";
import { DATASTORE, DATASTORE_PARAMS, DATASTORES, datastoreOf, tags } from "./datastore-routes.ts";
import { NEW_DATASTORE_SCHEMA } from "./datastore-schema.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";

/** Stores of records: made, listed, described, deleted, filled, read. */
export function registerDatastores(app: App, deps: DialectDeps): void {
  const { datastores } = deps;
  const create = { tags, summary: "Make a datastore without records", body: NEW_DATASTORE_SCHEMA };
  app.post(DATASTORES, { schema: create }, async (request) => {
    const { name, ...body } = request.body as DefinitionBody & { readonly name: string };
    const accountId = deps.account(request).id;
    return { data: toDatastoreView(await datastores.create({ accountId, name, definition: toDefinition(body) })) };
  });
  app.get(DATASTORES, { schema: { tags, summary: "List datastores", querystring: PAGE_SCHEMA } }, async (request) => {
    const page = pageOf(request.query as PageQuery);
    const { items, total } = await datastores.list({ accountId: deps.account(request).id, ...page });
    return { data: items.map(toDatastoreView), pagination: { total, ...page } };
  });
  const describe = { tags, summary: "Columns, row count, revision and size of a datastore", params: DATASTORE_PARAMS };
  app.get(DATASTORE, { schema: describe }, async (request) => ({
    data: toDatastoreView(await datastores.find(datastoreOf(deps, request))),
  }));
  const remove = {
    tags,
    summary: "Delete a datastore; runs that read it keep what they read",
    params: DATASTORE_PARAMS,
  };
  app.delete(DATASTORE, { schema: remove }, async (request) => {
    await datastores.remove(datastoreOf(deps, request));
    return { data: { deleted: true } };
  });
  registerDatastoreImports(app, deps);
  registerDatastoreRecords(app, deps);
  registerDatastoreReads(app, deps);
}
