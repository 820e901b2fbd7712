import type { Delivery, DeliveryAttempt, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";
import { toWebhookStatus } from "./webhook-status.ts";
import type { Writer } from "./writer.ts";

interface DeliveryRow {
  readonly number: number;
  readonly id: string;
  readonly account_id: string;
  readonly execution_id: string;
  readonly endpoint_id: string | null;
  readonly target: string;
  readonly url: string;
  readonly type: string;
  readonly payload: string;
  readonly status: Delivery["status"];
  readonly attempts: number;
  readonly attempts_before: number;
  readonly due_at: number | null;
  readonly created_at: number;
  readonly ended_at: number | null;
}

interface EventRow {
  readonly number: number;
  readonly account_id: string;
  readonly execution_id: string;
  readonly status: number;
  readonly at: number;
}

interface TargetRow {
  readonly endpoint_id: string | null;
  readonly url: string;
}

type Deliveries = Pick<
  Store,
  | "webhookEvents"
  | "webhookTargets"
  | "addDeliveries"
  | "dueTargets"
  | "claimDeliveries"
  | "endAttempt"
  | "releaseDelivery"
  | "findDelivery"
  | "listDeliveries"
  | "readAttempts"
  | "replayDelivery"
  | "pruneDeliveries"
>;

/** Targets looked at in one call of dueTargets. */
const MAX_LOOKS = 256;
const ENDPOINTS = `SELECT id AS endpoint_id, url FROM webhook_endpoints e INDEXED BY webhook_endpoints_by_account
  WHERE account_id = ? AND enabled = 1 AND events & ? AND (scoped = 0
  OR EXISTS (SELECT 1 FROM webhook_scopes s WHERE s.endpoint = e.number AND s.workflow_id = ?))`;
const CALLS = "SELECT endpoint_id, url FROM call_webhooks WHERE execution_id = ? AND events & ?";
const INSERT = `INSERT INTO webhook_deliveries (id, endpoint_id, target, url, type, payload, account_id, execution_id, status,
  attempts, attempts_before, due_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0, 0, ?, ?)`;
const NEXT_TARGET = `SELECT target, due_at FROM webhook_deliveries INDEXED BY webhook_deliveries_due
  WHERE due_at IS NOT NULL AND target > ? ORDER BY target, due_at LIMIT 1`;
const DUE = `SELECT number FROM webhook_deliveries INDEXED BY webhook_deliveries_due
  WHERE due_at IS NOT NULL AND target = ? AND due_at <= ? ORDER BY due_at LIMIT ?`;
const CLAIM = "UPDATE webhook_deliveries SET due_at = ?, attempts = attempts + 1 WHERE number = ?";
const END = `UPDATE webhook_deliveries SET status = ?, due_at = ?, ended_at = ? WHERE id = ? AND attempts = ?
  AND status = 'pending' RETURNING number`;
const RELEASE = `UPDATE webhook_deliveries SET due_at = ?, attempts = attempts - 1 WHERE id = ? AND attempts = ?
  AND status = 'pending'`;
const LOG = `INSERT INTO webhook_attempts (delivery, attempt, at, duration_ms, status, error, answer) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;
const FIND = "SELECT * FROM webhook_deliveries WHERE id = ? AND account_id = ?";
const ATTEMPTS = `SELECT attempt, at, duration_ms AS durationMs, status, error, answer FROM webhook_attempts
  WHERE delivery = ? ORDER BY attempt`;
const REPLAY = `UPDATE webhook_deliveries SET status = 'pending', due_at = ?, ended_at = NULL, attempts_before = attempts
  WHERE id = ? AND account_id = ? AND status <> 'pending'`;
const PRUNE = `DELETE FROM webhook_deliveries WHERE number IN (SELECT number FROM webhook_deliveries
  INDEXED BY webhook_deliveries_ended WHERE ended_at IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT ?)`;

function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    accountId: row.account_id,
    executionId: row.execution_id,
    endpointId: row.endpoint_id,
    target: row.target,
    url: row.url,
    type: row.type,
    payload: row.payload,
    status: row.status,
    attempts: row.attempts,
    attemptsBefore: row.attempts_before,
    dueAt: row.due_at,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}

function addDeliveries(db: Database, { event, deliveries, now }: Parameters<Store["addDeliveries"]>[0]): void {
  const { number, accountId, executionId, status } = event;
  if (db.run("DELETE FROM webhook_events WHERE number = ?", number) === 0) return;
  for (const { id, endpointId, target, url, type, payload } of deliveries) {
    db.run(INSERT, id, endpointId, target, url, type, payload, accountId, executionId, now, now);
  }
  // A failed execution may be resumed; these two are over for good.
  if (status === "completed" || status === "cancelled") {
    db.run("DELETE FROM call_webhooks WHERE execution_id = ?", executionId);
  }
}

function dueTargets(db: Database, { now, after, max }: Parameters<Store["dueTargets"]>[0]) {
  const targets: string[] = [];
  let from = after;
  for (let looks = 0; looks < MAX_LOOKS && targets.length < max; looks++) {
    const row = db.get<{ target: string; due_at: number }>(NEXT_TARGET, from);
    if (row === undefined) return { targets, next: null };
    from = row.target;
    if (row.due_at <= now) targets.push(row.target);
  }
  return { targets, next: from };
}

function claim(db: Database, params: Parameters<Store["claimDeliveries"]>[0]): readonly Delivery[] {
  const { target, now, max, leaseMs } = params;
  return db.all<{ number: number }>(DUE, target, now, max).map(({ number }) => {
    db.run(CLAIM, now + leaseMs, number);
    return toDelivery(db.get<DeliveryRow>("SELECT * FROM webhook_deliveries WHERE number = ?", number) as DeliveryRow);
  });
}

function endAttempt(db: Database, params: Parameters<Store["endAttempt"]>[0]): boolean {
  const { deliveryId, attempt, status, dueAt, now } = params;
  const { attempt: n, at, durationMs, status: code, error, answer } = attempt;
  const row = db.get<{ number: number }>(END, status, dueAt, dueAt === null ? now : null, deliveryId, n);
  if (row === undefined) return false;
  db.run(LOG, row.number, n, at, durationMs, code, error, answer);
  return true;
}

function list(db: Database, params: Parameters<Store["listDeliveries"]>[0]): readonly Delivery[] {
  const { accountId, endpointId, executionId, limit, offset } = params;
  const [column, index, value] =
    executionId !== null
      ? ["execution_id", "webhook_deliveries_by_execution", executionId]
      : endpointId !== null
        ? ["endpoint_id", "webhook_deliveries_by_endpoint", endpointId]
        : ["account_id", "webhook_deliveries_by_account", accountId];
  const sql = `SELECT * FROM webhook_deliveries INDEXED BY ${index} WHERE ${column} = ? AND account_id = ?
    AND (? IS NULL OR endpoint_id = ?) ORDER BY number DESC LIMIT ? OFFSET ?`;
  return db.all<DeliveryRow>(sql, value ?? "", accountId, endpointId, endpointId, limit, offset).map(toDelivery);
}

/** Events of executions, the deliveries they become, and the log of their attempts. */
export function createDeliveries(db: Database, writer: Writer): Deliveries {
  const find = (accountId: string, id: string) => db.get<DeliveryRow>(FIND, id, accountId);
  return {
    async webhookEvents({ max }) {
      const rows = db.all<EventRow>("SELECT * FROM webhook_events ORDER BY number LIMIT ?", max);
      return rows.map(({ number, account_id: accountId, execution_id: executionId, status, at }) => ({
        number,
        accountId,
        executionId,
        status: toWebhookStatus(status),
        at,
      }));
    },
    async webhookTargets({ event, workflowId }) {
      const bit = 1 << STATUS[event.status];
      const endpoints = db.all<TargetRow>(ENDPOINTS, event.accountId, bit, workflowId);
      const calls = db.all<TargetRow>(CALLS, event.executionId, bit);
      return [
        ...endpoints.map(({ endpoint_id: id, url }) => ({ endpointId: id, url, target: id ?? "" })),
        ...calls.map(({ endpoint_id: id, url }) => ({
          endpointId: id,
          url,
          target: `${event.accountId} ${new URL(url).origin}`,
        })),
      ];
    },
    addDeliveries: (params) => writer.write(() => addDeliveries(db, params)),
    dueTargets: async (params) => dueTargets(db, params),
    claimDeliveries: (params) => writer.write(() => claim(db, params)),
    endAttempt: (params) => writer.write(() => endAttempt(db, params)),
    async releaseDelivery({ deliveryId, attempt, now }) {
      await writer.write(() => db.run(RELEASE, now, deliveryId, attempt));
    },
    async findDelivery({ accountId, deliveryId }) {
      const row = find(accountId, deliveryId);
      return row === undefined ? null : toDelivery(row);
    },
    listDeliveries: async (params) => list(db, params),
    async readAttempts({ accountId, deliveryId }) {
      const row = find(accountId, deliveryId);
      return row === undefined ? [] : db.all<DeliveryAttempt>(ATTEMPTS, row.number).map((attempt) => ({ ...attempt }));
    },
    replayDelivery: ({ accountId, deliveryId, now }) =>
      writer.write(() => db.run(REPLAY, now, deliveryId, accountId) === 1),
    pruneDeliveries: ({ before, max }) => writer.write(() => db.run(PRUNE, before, max)),
  };
}
