import type { Database } from "./database.ts";

/** A trigger on a busy table that exists only while something asks for it, so that nobody else pays for it. */
interface RareTrigger {
  readonly name: string;
  readonly sql: string;
  /** Column `found` is null when nothing needs it. */
  readonly needed: string;
}

/** True when someone wants to be told of an execution's new status (bits 2 to 5 of `events`: waiting, completed, failed, cancelled). */
const IS_WANTED = `new.status > 1 AND new.parent_id IS NULL AND (
  EXISTS (SELECT 1 FROM webhook_endpoints WHERE account_id = new.account_id AND enabled = 1 AND events & (1 << new.status))
  OR EXISTS (SELECT 1 FROM call_webhooks WHERE execution_id = new.id AND events & (1 << new.status)))`;
const TELL = `INSERT INTO webhook_events (execution_id, account_id, status, at)
  VALUES (new.id, new.account_id, new.status, coalesce(new.finished_at, unixepoch('subsec') * 1000));`;
const HAS_WEBHOOKS = `SELECT coalesce((SELECT max(number) FROM webhook_endpoints),
  (SELECT 1 FROM call_webhooks LIMIT 1)) AS found`;

/** Whatever statement changes an execution, the event is written along with it. */
export const TOLD: readonly RareTrigger[] = [
  {
    name: "executions_told",
    sql: `CREATE TRIGGER executions_told AFTER UPDATE OF status ON executions
      WHEN old.status <> new.status AND ${IS_WANTED} BEGIN ${TELL} END`,
    needed: HAS_WEBHOOKS,
  },
  {
    name: "executions_told_at_once",
    sql: `CREATE TRIGGER executions_told_at_once AFTER INSERT ON executions WHEN ${IS_WANTED} BEGIN ${TELL} END`,
    needed: HAS_WEBHOOKS,
  },
];

/** Ties an execution to the slot of a schedule that its idempotency key names; a second one of the slot is refused. */
export const SCHEDULED: RareTrigger = {
  name: "executions_scheduled",
  sql: `CREATE TRIGGER executions_scheduled AFTER INSERT ON executions WHEN new.idempotency_key GLOB 'schedule:sched_*' BEGIN
    INSERT INTO schedule_runs (schedule_id, slot, execution)
    SELECT id, substr(new.idempotency_key, 49), new.number FROM schedules
    WHERE id = substr(new.idempotency_key, 10, 38) AND account_id = new.account_id;
  END`,
  needed: "SELECT max(number) AS found FROM schedules",
};

const EXISTS = "SELECT 1 AS found FROM sqlite_schema WHERE type = 'trigger' AND name = ?";

/** Makes a trigger within the running transaction, unless it exists. */
export function ensureTrigger(db: Database, { name, sql }: RareTrigger): void {
  if (db.get(EXISTS, name) === undefined) db.exec(sql);
}

/** Drops those that nothing asks for any more; when the store is opened. */
export function dropUnusedTriggers(db: Database): void {
  for (const { name, needed } of [...TOLD, SCHEDULED]) {
    if (db.get<{ found: unknown }>(needed)?.found == null) db.exec(`DROP TRIGGER IF EXISTS ${name}`);
  }
}
