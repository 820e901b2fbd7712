/**
 * Webhooks. Triggers (see rare-triggers.ts) write an event in the transaction that changes an execution; events become
 * deliveries afterwards. `due_at` is when a delivery is sent.
 */
export const SCHEMA_WEBHOOKS = `
CREATE TABLE webhook_endpoints (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, url TEXT NOT NULL,
  description TEXT NOT NULL, events INTEGER NOT NULL, scoped INTEGER NOT NULL, secret TEXT NOT NULL, former_secret TEXT,
  former_until REAL, enabled INTEGER NOT NULL, disabled_reason TEXT, created_at REAL NOT NULL, updated_at REAL NOT NULL
) STRICT;
CREATE INDEX webhook_endpoints_by_account ON webhook_endpoints (account_id, number);
CREATE TABLE webhook_scopes (
  endpoint INTEGER NOT NULL REFERENCES webhook_endpoints (number) ON DELETE CASCADE, workflow_id TEXT NOT NULL,
  PRIMARY KEY (endpoint, workflow_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_scopes_by_workflow ON webhook_scopes (workflow_id);
CREATE TABLE call_webhooks (
  execution_id TEXT PRIMARY KEY, url TEXT NOT NULL, events INTEGER NOT NULL, endpoint_id TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE webhook_events (
  number INTEGER PRIMARY KEY AUTOINCREMENT, execution_id TEXT NOT NULL, account_id TEXT NOT NULL,
  status INTEGER NOT NULL, at REAL NOT NULL
) STRICT;
CREATE INDEX webhook_events_by_execution ON webhook_events (execution_id);
CREATE TABLE webhook_deliveries (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, execution_id TEXT NOT NULL,
  endpoint_id TEXT, target TEXT NOT NULL, url TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL,
  status TEXT NOT NULL, attempts INTEGER NOT NULL, attempts_before INTEGER NOT NULL, due_at REAL,
  created_at REAL NOT NULL, ended_at REAL
) STRICT;
CREATE INDEX webhook_deliveries_by_account ON webhook_deliveries (account_id, number);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, number);
CREATE INDEX webhook_deliveries_by_execution ON webhook_deliveries (execution_id, number);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (target, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE webhook_attempts (
  delivery INTEGER NOT NULL REFERENCES webhook_deliveries (number) ON DELETE CASCADE, attempt INTEGER NOT NULL,
  at REAL NOT NULL, duration_ms REAL NOT NULL, status INTEGER, error TEXT, answer TEXT, PRIMARY KEY (delivery, attempt)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER executions_forgotten AFTER DELETE ON executions BEGIN
  DELETE FROM call_webhooks WHERE execution_id = old.id;
  DELETE FROM webhook_events WHERE execution_id = old.id;
  DELETE FROM webhook_deliveries WHERE execution_id = old.id;
END;
`;
