/**
 * Schedules. `next_at` is the next slot, `due_at` when to look at it (later than the slot while an earlier execution goes
 * on), `reached_at` the newest slot dealt with. `schedule_runs` is filled by the insert of an execution whose idempotency
 * key names a slot, so a second execution of a slot is refused even when the key itself has expired.
 */
export const SCHEMA_SCHEDULES = `
CREATE TABLE schedules (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  workflow_id TEXT NOT NULL REFERENCES workflows (id), name TEXT NOT NULL, origin TEXT NOT NULL, cron TEXT NOT NULL,
  timezone TEXT NOT NULL, input TEXT, catch_up TEXT NOT NULL, overlap TEXT NOT NULL, end_at REAL,
  paused INTEGER NOT NULL, next_at REAL, due_at REAL, queued_until REAL, reached_at REAL,
  skipped INTEGER NOT NULL DEFAULT 0, error TEXT, created_at REAL NOT NULL, updated_at REAL NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0, UNIQUE (workflow_id, name)
) STRICT;
CREATE INDEX schedules_by_account ON schedules (account_id, number);
CREATE INDEX schedules_by_workflow ON schedules (workflow_id, number);
CREATE INDEX schedules_due ON schedules (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX schedules_reached ON schedules (reached_at) WHERE reached_at IS NOT NULL;

CREATE TABLE schedule_runs (
  schedule_id TEXT NOT NULL, slot TEXT NOT NULL, execution INTEGER NOT NULL, PRIMARY KEY (schedule_id, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_runs_by_execution ON schedule_runs (execution);
CREATE TRIGGER executions_scheduled AFTER INSERT ON executions WHEN new.idempotency_key GLOB 'schedule:sched_*' BEGIN
  INSERT INTO schedule_runs (schedule_id, slot, execution)
  SELECT id, substr(new.idempotency_key, 49), new.number FROM schedules
  WHERE id = substr(new.idempotency_key, 10, 38) AND account_id = new.account_id;
END;
CREATE TRIGGER executions_unscheduled AFTER DELETE ON executions BEGIN
  DELETE FROM schedule_runs WHERE execution = old.number;
END;
`;
