import { UNLIMITED } from "../../../engine/accounts/account-service.ts";
import type { Account, AccountChanges } from "../../../engine/types.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { registerPools } from "./budgets.ts";
import { TRAFFIC_FIELDS, type TrafficBody, toLimits, toLimitsView } from "./key-body.ts";
import { registerKeyRoutes, toMadeView } from "./keys.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";

const BASE = "/api/v1/accounts";
const tags = ["accounts"];
const PARAMS = { account: { type: "string", description: "Name or id" } };
const params = { type: "object", properties: PARAMS };

const NAME = {
  type: "string",
  pattern: "^[a-z0-9][a-z0-9._-]{0,62}$",
  description: "Up to 63 lower-case letters, digits and ._-",
} as const;

const NEW_SCHEMA = {
  type: "object",
  required: ["name"],
  additionalProperties: false,
  properties: { name: NAME, ...TRAFFIC_FIELDS },
} as const;

const CHANGE_SCHEMA = {
  type: "object",
  additionalProperties: false,
  minProperties: 1,
  properties: {
    name: NAME,
    suspended: { type: "boolean", description: "Refuses all its keys; what already runs goes on" },
    ...TRAFFIC_FIELDS,
  },
} as const;

interface ChangeBody extends TrafficBody {
  readonly name?: string;
  readonly suspended?: boolean;
}

const toView = ({ id, name, owner, suspended, limits }: Account) => ({
  ...{ id, object: "account", name, owner, suspended },
  ...toLimitsView(limits),
});

const nameOf = (request: Request) => (request.params as { readonly account: string }).account;

/** Accounts, for the owner: each with its keys and daily budgets. */
export function registerAccounts(app: App, deps: DialectDeps): void {
  const { accounts } = deps;
  const list = { tags, summary: "List accounts, by name", querystring: PAGE_SCHEMA };
  app.get(BASE, { schema: list }, async (request) => {
    const page = pageOf(request.query as PageQuery);
    const { items, total } = await accounts.list(page);
    return { data: items.map(toView), pagination: { total, ...page } };
  });
  app.get(`${BASE}/:account`, { schema: { tags, summary: "One account", params } }, async (request) => ({
    data: toView(await accounts.find(nameOf(request))),
  }));
  const create = { tags, summary: "Make an account and its first key, shown in this answer only", body: NEW_SCHEMA };
  app.post(BASE, { schema: create }, async (request, reply) => {
    const body = request.body as ChangeBody & { readonly name: string };
    const { account, key } = await accounts.create({ name: body.name, limits: toLimits(body, UNLIMITED) });
    reply.code(201);
    return { data: { ...toView(account), key: toMadeView(key) } };
  });
  const change = { tags, summary: "Change an account; absent fields keep their value", params, body: CHANGE_SCHEMA };
  app.patch(`${BASE}/:account`, { schema: change }, async (request) => {
    const { name, suspended, ...traffic } = request.body as ChangeBody;
    const { id, limits } = await accounts.find(nameOf(request));
    const changes: AccountChanges = {
      ...(name === undefined ? {} : { name }),
      ...(suspended === undefined ? {} : { suspended }),
      limits: toLimits(traffic, limits),
    };
    return { data: toView(await accounts.update(id, changes)) };
  });
  const accountId = async (request: Request) => (await accounts.find(nameOf(request))).id;
  registerKeyRoutes(app, deps, { base: `${BASE}/:account/keys`, params: PARAMS, accountId });
  registerPools(app, deps, {
    base: `${BASE}/:account/budgets`,
    params,
    poolsOf: async (request) => ({ accountId: await accountId(request), isManaged: false }),
  });
}
