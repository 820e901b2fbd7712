import type { MadeKey } from "../../../engine/accounts/account-service.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import {
  KEY_CHANGE_SCHEMA,
  type KeyBody,
  NEW_KEY_SCHEMA,
  ROTATE_SCHEMA,
  toKeyChanges,
  toKeyRequest,
  toKeyView,
} from "./key-body.ts";

const tags = ["keys"];
const ID = { key: { type: "string", description: "`key_<32 hex digits>`" } };

/** Whose keys a family of routes is about. */
interface KeyRoutes {
  readonly base: string;
  /** Path parameters of `base`. */
  readonly params: Readonly<Record<string, object>>;
  accountId(request: Request): Promise<string>;
}

/** A key that was just made, as the API shows it: the only answer with its text. */
export const toMadeView = ({ key, text }: MadeKey) => ({ ...toKeyView(key), key: text });

/** Lists, makes, changes, rotates and revokes keys under one path. */
export function registerKeyRoutes(app: App, { accounts }: DialectDeps, routes: KeyRoutes): void {
  const { base, accountId } = routes;
  const { keys } = accounts;
  const params = { type: "object", properties: { ...routes.params, ...ID } };
  const targetOf = async (request: Request) => ({
    accountId: await accountId(request),
    keyId: (request.params as { readonly key: string }).key,
  });
  const list = { tags, summary: "List API keys, the oldest first", params: { ...params, properties: routes.params } };
  app.get(base, { schema: list }, async (request) => ({
    data: (await keys.list(await accountId(request))).map(toKeyView),
  }));
  app.get(`${base}/:key`, { schema: { tags, summary: "One API key", params } }, async (request) => ({
    data: toKeyView(await keys.find(await targetOf(request))),
  }));
  const create = { tags, summary: "Make an API key, shown in this answer only", body: NEW_KEY_SCHEMA };
  app.post(base, { schema: create }, async (request, reply) => {
    const made = toKeyRequest(request.body as KeyBody, Date.now());
    reply.code(201);
    return { data: toMadeView(await keys.create({ accountId: await accountId(request), request: made })) };
  });
  const change = {
    tags,
    summary: "Change an API key; absent fields keep their value",
    params,
    body: KEY_CHANGE_SCHEMA,
  };
  app.patch(`${base}/:key`, { schema: change }, async (request) => {
    const target = await targetOf(request);
    const changes = toKeyChanges(request.body as KeyBody, await keys.find(target), Date.now());
    return { data: toKeyView(await keys.update({ ...target, changes })) };
  });
  const rotate = {
    ...{ tags, params, body: ROTATE_SCHEMA },
    summary: "Replace an API key by a new one of the same name and rights, shown in this answer only",
  };
  app.post(`${base}/:key/rotate`, { schema: rotate }, async (request, reply) => {
    const { overlap_seconds: seconds = 0 } = (request.body ?? {}) as { readonly overlap_seconds?: number };
    const made = await keys.rotate({ ...(await targetOf(request)), overlapMs: seconds * 1_000 });
    reply.code(201);
    return { data: toMadeView(made) };
  });
  app.delete(`${base}/:key`, { schema: { tags, summary: "Revoke an API key at once", params } }, async (request) => {
    await keys.revoke(await targetOf(request));
    return { data: { deleted: true } };
  });
}

/** API keys of the caller's account. */
export function registerKeys(app: App, deps: DialectDeps): void {
  const { keys } = deps.accounts;
  const current = { tags, summary: "The key and the account of this request" };
  app.get("/api/v1/keys/current", { schema: current }, async (request) => {
    const { id: accountId, name, owner, key } = deps.account(request);
    return {
      data: { ...toKeyView(await keys.find({ accountId, keyId: key.id })), account: { id: accountId, name, owner } },
    };
  });
  registerKeyRoutes(app, deps, {
    base: "/api/v1/keys",
    params: {},
    accountId: async (request) => deps.account(request).id,
  });
}
