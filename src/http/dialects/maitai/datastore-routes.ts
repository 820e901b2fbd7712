import type { DialectDeps, Request } from "../dialect.ts";

/** Path of all datastores. */
export const DATASTORES = "/api/v1/datastores";
/** Path of one. */
export const DATASTORE = `${DATASTORES}/:datastore`;
/** What the documentation groups the routes under. */
export const tags = ["datastores"];
/** Schema of the path's parameters. */
export const DATASTORE_PARAMS = {
  type: "object",
  properties: { datastore: { type: "string", description: "Name, or `ds_<32 hex digits>`" } },
} as const;

/** Which datastore of whom a request is about, and whose pools pay. */
export function datastoreOf(deps: Pick<DialectDeps, "account">, request: Request) {
  const { datastore: key } = request.params as { readonly datastore: string };
  const { id: accountId, key: apiKey } = deps.account(request);
  return { accountId, key, payer: apiKey.name };
}
