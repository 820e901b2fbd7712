import { fail } from "../../../runtime/index.ts";
import type { Store, WebhookEndpoint } from "../store.ts";
import type { Database, Value } from "./database.ts";
import { ensureTrigger, TOLD } from "./rare-triggers.ts";
import { fromBits, toBits } from "./webhook-status.ts";
import type { Writer } from "./writer.ts";

interface EndpointRow {
  readonly number: number;
  readonly id: string;
  readonly account_id: string;
  readonly url: string;
  readonly description: string;
  readonly events: number;
  readonly scoped: number;
  readonly secret: string;
  readonly former_secret: string | null;
  readonly former_until: number | null;
  readonly enabled: number;
  readonly disabled_reason: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

type Endpoints = Pick<
  Store,
  | "addEndpoint"
  | "redefineEndpoint"
  | "disableEndpoint"
  | "rotateEndpoint"
  | "removeEndpoint"
  | "findEndpoint"
  | "listEndpoints"
  | "addCallWebhook"
  | "removeCallWebhook"
  | "dropOrphanedWebhooks"
>;
type Rule = Pick<WebhookEndpoint, "url" | "description" | "events" | "workflowIds" | "enabled">;

const INSERT = `INSERT INTO webhook_endpoints (url, description, events, scoped, enabled, updated_at, id, account_id, secret,
  created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const REDEFINE = `UPDATE webhook_endpoints SET url = ?, description = ?, events = ?, scoped = ?, enabled = ?, updated_at = ?,
  disabled_reason = iif(enabled = 0 AND ? = 1, NULL, disabled_reason) WHERE number = ?`;
const DISABLE =
  "UPDATE webhook_endpoints SET enabled = 0, disabled_reason = ?, updated_at = ? WHERE id = ? AND account_id = ?";
const ROTATE = `UPDATE webhook_endpoints SET former_secret = secret, former_until = ?, secret = ?, updated_at = ?
  WHERE id = ? AND account_id = ?`;
const FIND = "SELECT * FROM webhook_endpoints WHERE id = ? AND account_id = ?";
const LIST = "SELECT * FROM webhook_endpoints WHERE account_id = ? ORDER BY number DESC LIMIT ? OFFSET ?";
const COUNT = "SELECT count(*) AS n FROM webhook_endpoints WHERE account_id = ?";
const SCOPES = "SELECT workflow_id FROM webhook_scopes WHERE endpoint = ? ORDER BY workflow_id";
const ADD_SCOPE = `INSERT INTO webhook_scopes (endpoint, workflow_id) SELECT ?, id FROM workflows WHERE id = ? AND account_id = ?
  ON CONFLICT DO NOTHING`;
const ORPHANED =
  "DELETE FROM call_webhooks WHERE NOT EXISTS (SELECT 1 FROM executions WHERE executions.id = execution_id)";

function toEndpoint(db: Database, row: EndpointRow): WebhookEndpoint {
  const scopes = db.all<{ workflow_id: string }>(SCOPES, row.number).map((scope) => scope.workflow_id);
  return {
    id: row.id,
    accountId: row.account_id,
    url: row.url,
    description: row.description,
    events: fromBits(row.events),
    workflowIds: row.scoped === 1 ? scopes : null,
    secret: row.secret,
    former: row.former_secret === null ? null : { secret: row.former_secret, until: row.former_until ?? 0 },
    enabled: row.enabled === 1,
    disabledReason: row.disabled_reason,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Columns url, description, events, scoped, enabled, updated_at. */
function ruleColumns({ url, description, events, workflowIds, enabled }: Rule, now: number): Value[] {
  return [url, description, toBits(events), workflowIds === null ? 0 : 1, enabled ? 1 : 0, now];
}

function setScopes(db: Database, endpoint: number, accountId: string, workflowIds: readonly string[] | null): void {
  db.run("DELETE FROM webhook_scopes WHERE endpoint = ?", endpoint);
  for (const workflowId of workflowIds ?? []) db.run(ADD_SCOPE, endpoint, workflowId, accountId);
}

function find(db: Database, accountId: string, endpointId: string): EndpointRow | undefined {
  return db.get<EndpointRow>(FIND, endpointId, accountId);
}

const count = (db: Database, accountId: string) => db.get<{ n: number }>(COUNT, accountId)?.n ?? 0;

function add(db: Database, { endpoint, max, now }: Parameters<Store["addEndpoint"]>[0]): WebhookEndpoint {
  const { id, accountId, secret, workflowIds } = endpoint;
  const known = count(db, accountId);
  if (known >= max) {
    const message = `The account has ${known} webhook endpoints; at most ${max} are possible (MAX_ENDPOINTS). Delete some first.`;
    throw fail("RATE_LIMITED", { message, limit: "MAX_ENDPOINTS", value: max });
  }
  for (const trigger of TOLD) ensureTrigger(db, trigger);
  const number = db.insert(INSERT, ...ruleColumns(endpoint, now), id, accountId, secret, now) ?? 0;
  setScopes(db, number, accountId, workflowIds);
  return toEndpoint(db, find(db, accountId, id) as EndpointRow);
}

function redefine(db: Database, params: Parameters<Store["redefineEndpoint"]>[0]): boolean {
  const { accountId, endpointId, now, ...rule } = params;
  const row = find(db, accountId, endpointId);
  if (row === undefined) return false;
  db.run(REDEFINE, ...ruleColumns(rule, now), rule.enabled ? 1 : 0, row.number);
  setScopes(db, row.number, accountId, rule.workflowIds);
  return true;
}

/** Endpoints of accounts, and the webhooks of single calls. */
export function createEndpoints(db: Database, writer: Writer): Endpoints {
  return {
    addEndpoint: (params) => writer.write(() => add(db, params)),
    redefineEndpoint: (params) => writer.write(() => redefine(db, params)),
    disableEndpoint: ({ accountId, endpointId, reason, now }) =>
      writer.write(() => db.run(DISABLE, reason, now, endpointId, accountId) === 1),
    rotateEndpoint: ({ accountId, endpointId, secret, formerUntil, now }) =>
      writer.write(() => db.run(ROTATE, formerUntil, secret, now, endpointId, accountId) === 1),
    removeEndpoint: ({ accountId, endpointId }) =>
      writer.write(
        () => db.run("DELETE FROM webhook_endpoints WHERE id = ? AND account_id = ?", endpointId, accountId) === 1,
      ),
    async findEndpoint({ accountId, endpointId }) {
      const row = find(db, accountId, endpointId);
      return row === undefined ? null : toEndpoint(db, row);
    },
    async listEndpoints({ accountId, limit, offset }) {
      const rows = db.all<EndpointRow>(LIST, accountId, limit, offset);
      return { items: rows.map((row) => toEndpoint(db, row)), total: count(db, accountId) };
    },
    async addCallWebhook({ executionId, webhook }) {
      const { url, events, endpointId } = webhook;
      const sql = "INSERT INTO call_webhooks (execution_id, url, events, endpoint_id) VALUES (?, ?, ?, ?)";
      await writer.write(() => {
        for (const trigger of TOLD) ensureTrigger(db, trigger);
        db.run(sql, executionId, url, toBits(events), endpointId);
      });
    },
    async removeCallWebhook({ executionId }) {
      await writer.write(() => db.run("DELETE FROM call_webhooks WHERE execution_id = ?", executionId));
    },
    async dropOrphanedWebhooks() {
      await writer.write(() => db.run(ORPHANED));
    },
  };
}
