import { fail } from "../../../../runtime/index.ts";
import { AMOUNT_NAMES, MAX_USD, parseAmounts } from "../../../engine/budgets/amounts.ts";
import type { ShownPool } from "../../../engine/budgets/budget-service.ts";
import type { Amounts } from "../../../engine/types.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { toBalanceView } from "./budget-view.ts";
import { idempotencyKeyOf } from "./idempotency-key.ts";
import { showRunDetail } from "./run-detail-view.ts";
import { RUN_PARAMS as params, runTargetOf } from "./run-target.ts";

/** Amounts of a body. */
export type AmountsBody = Readonly<Record<(typeof AMOUNT_NAMES)[number], number | null | undefined>>;

const BASE = "/api/v1/budgets";
const tags = ["budgets"];
const MAX_POOLS = 1_000;
const MAX_NAME = 200;

/** JSON Schema of amounts: `usd`, `tokens`, `calls`; what is absent or null is not limited. */
export const AMOUNTS_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    usd: { type: ["number", "null"], minimum: 0, maximum: MAX_USD, description: "Counted in billionths of a dollar" },
    tokens: { type: ["integer", "null"], minimum: 0, description: "Prompt and answer together" },
    calls: { type: ["integer", "null"], minimum: 0, description: "Calls sent to models, repetitions included" },
  },
} as const;

/** The amounts of a body's member; null when it names none. INVALID_REQUEST naming the field. */
export function toAmounts(param: string, body: Partial<AmountsBody> | null | undefined): Amounts | null {
  if (body === null || body === undefined) return null;
  return parseAmounts(
    (name) => (Object.hasOwn(body, name) ? body[name as keyof AmountsBody] : undefined),
    (name, rule, value) => {
      const path = `${param}.${name}`;
      return fail("INVALID_REQUEST", {
        message: `${path}: must be ${rule}, got ${JSON.stringify(value)}`,
        param: path,
      });
    },
  );
}

function toAddition(body: Partial<AmountsBody>): Amounts {
  const add = toAmounts("add", body);
  if (add !== null) return add;
  const message = `add: must name at least one of ${AMOUNT_NAMES.join(", ")}`;
  throw fail("INVALID_REQUEST", { message, param: "add" });
}

const ADD_SCHEMA = {
  type: "object",
  required: ["add"],
  additionalProperties: false,
  properties: { add: AMOUNTS_SCHEMA },
} as const;

const POOL_SCHEMA = { ...AMOUNTS_SCHEMA, type: ["object", "null"] } as const;

const PUT_SCHEMA = {
  type: "object",
  additionalProperties: false,
  minProperties: 1,
  properties: {
    account: { ...POOL_SCHEMA, description: "Of all keys together; null removes it" },
    keys: {
      type: "object",
      maxProperties: MAX_POOLS,
      propertyNames: { type: "string", minLength: 1, maxLength: MAX_NAME },
      additionalProperties: POOL_SCHEMA,
      description: "By the name of the API key; those that are not named stay as they are, null removes one",
    },
  },
} as const;

interface PutBody {
  readonly account?: Partial<AmountsBody> | null;
  readonly keys?: Readonly<Record<string, Partial<AmountsBody> | null>>;
}

const ADD_TODAY_SCHEMA = {
  ...ADD_SCHEMA,
  properties: {
    add: AMOUNTS_SCHEMA,
    key: { type: "string", minLength: 1, maxLength: MAX_NAME, description: "Name of an API key; default: the account" },
  },
} as const;

const DAY_MS = 86_400_000;

function toPoolsView(pools: readonly ShownPool[], now: number): object {
  const day = Math.floor(now / DAY_MS);
  const views = pools.map(({ key, balance }) => [key, toBalanceView(balance)] as const);
  return {
    object: "budgets",
    day: new Date(day * DAY_MS).toISOString().slice(0, 10),
    resets_at: ((day + 1) * DAY_MS) / 1_000,
    account: views.find(([key]) => key === null)?.[1] ?? null,
    keys: Object.fromEntries(views.filter(([key]) => key !== null)),
  };
}

function registerRunBudget(app: App, deps: DialectDeps): void {
  app.post(
    "/api/v1/runs/:id/budget",
    {
      schema: {
        tags,
        summary: "Add to the budget of a run",
        description:
          "A run that waits because its budget is used up goes on, and pays nothing twice. With an `Idempotency-Key` header the same addition is made once. A nested run without a budget of its own shares that of the run that called it, which is then the one that grows.",
        params,
        body: ADD_SCHEMA,
      },
    },
    async (request) => {
      const target = runTargetOf(deps, request);
      const { add } = request.body as { readonly add: Partial<AmountsBody> };
      const { accountId, executionId } = target;
      const idempotencyKey = idempotencyKeyOf(request.headers);
      await deps.budgets.topUp({ accountId, target: { executionId }, add: toAddition(add), idempotencyKey });
      return { data: await showRunDetail(deps, target) };
    },
  );
}

/** Whose daily pools a family of routes is about. */
export interface PoolRoutes {
  readonly base: string;
  readonly params?: object;
  /** `isManaged`: the pool of the whole account is not the caller's to change. */
  poolsOf(request: Request): Promise<{ readonly accountId: string; readonly isManaged: boolean }>;
}

const MANAGED =
  "The daily pool of the whole account is set by the owner of the server; an account sets those of its keys.";

/** Daily pools under one path. */
export function registerPools(app: App, { budgets }: DialectDeps, routes: PoolRoutes): void {
  const { base, poolsOf } = routes;
  const shared = { tags, ...(routes.params === undefined ? {} : { params: routes.params }) };
  const ownOf = async (request: Request, ofAccount: boolean) => {
    const { accountId, isManaged } = await poolsOf(request);
    if (isManaged && ofAccount) throw fail("FORBIDDEN", { message: `account: ${MANAGED}`, param: "account" });
    return accountId;
  };
  const show = async (accountId: string) => ({ data: toPoolsView(await budgets.pools(accountId), Date.now()) });
  const description =
    "What all runs of the account, and those called with the API keys of one name, may spend on one day (UTC). A call that finds nothing left gets 429; a run that comes to the end of a pool waits for the next day or for more.";
  app.get(
    base,
    { schema: { ...shared, summary: "The daily pools, and what is spent of them", description } },
    async (request) => show((await poolsOf(request)).accountId),
  );
  app.put(
    base,
    { schema: { ...shared, summary: "Set daily pools", description, body: PUT_SCHEMA } },
    async (request) => {
      const { account, keys = {} } = request.body as PutBody;
      const accountId = await ownOf(request, account !== undefined);
      const named = Object.entries(keys).map(([key, body]) => ({ key, limits: toAmounts(`keys.${key}`, body) }));
      const own = account === undefined ? [] : [{ key: null, limits: toAmounts("account", account) }];
      await budgets.putPools({ accountId, pools: [...own, ...named] });
      return show(accountId);
    },
  );
  const today = "Add to a pool for today; once per `Idempotency-Key`";
  app.post(`${base}/add`, { schema: { ...shared, summary: today, body: ADD_TODAY_SCHEMA } }, async (request) => {
    const { add, key = null } = request.body as { readonly add: Partial<AmountsBody>; readonly key?: string };
    const accountId = await ownOf(request, key === null);
    const idempotencyKey = idempotencyKeyOf(request.headers);
    await budgets.topUp({ accountId, target: { key }, add: toAddition(add), idempotencyKey });
    return show(accountId);
  });
}

/** Budgets of runs and of days. */
export function registerBudgets(app: App, deps: DialectDeps): void {
  registerPools(app, deps, {
    base: BASE,
    async poolsOf(request) {
      const { id, owner } = deps.account(request);
      return { accountId: id, isManaged: !owner };
    },
  });
  registerRunBudget(app, deps);
}
