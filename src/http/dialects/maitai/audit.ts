import type { App, DialectDeps, Request } from "../dialect.ts";

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

const QUERY = {
  type: "object",
  additionalProperties: false,
  properties: {
    after: {
      type: "string",
      pattern: "^\\d{1,15}$",
      description: "`next_after` of the page before; default: from the first",
    },
    limit: { type: "string", pattern: "^[1-9]\\d{0,3}$", description: `1 to ${MAX_LIMIT}, default ${DEFAULT_LIMIT}` },
    account: { type: "string", description: "Name or id of one account, for the owner; default: all" },
  },
} as const;

interface AuditQuery {
  readonly after?: string;
  readonly limit?: string;
  readonly account?: string;
}

async function accountOf(deps: DialectDeps, request: Request, { account }: AuditQuery): Promise<string | null> {
  const caller = deps.account(request);
  if (!caller.owner) return caller.id;
  return account === undefined ? null : (await deps.accounts.find(account)).id;
}

/** The audit log. */
export function registerAudit(app: App, deps: DialectDeps): void {
  const schema = {
    tags: ["audit"],
    summary: "Management actions, the oldest first",
    description:
      "Who (key), what (route and names), when, from where and with which result; written before the action is answered. An account sees its own, the owner all. To export it, read on with `after` until `next_after` is null.",
    querystring: QUERY,
  };
  app.get("/api/v1/audit", { schema }, async (request) => {
    const query = request.query as AuditQuery;
    const limit = Math.min(MAX_LIMIT, Number(query.limit ?? DEFAULT_LIMIT));
    const accountId = await accountOf(deps, request, query);
    const entries = await deps.audit.list({ accountId, after: Number(query.after ?? 0), limit });
    const data = entries.map(({ seq, at, target, ...entry }) => ({
      seq,
      at: at / 1_000,
      account_id: entry.accountId,
      key: { id: entry.keyId, name: entry.keyName },
      action: entry.action,
      target: JSON.parse(target) as unknown,
      status: entry.status,
      address: entry.address,
      request_id: entry.requestId,
    }));
    return { data, next_after: data.length < limit ? null : (data.at(-1)?.seq ?? null) };
  });
}
