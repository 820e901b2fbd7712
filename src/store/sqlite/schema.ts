/**
 * Schema 1. Integer keys join the tables inside; texts are what the port speaks. Mutable state (`executions`) is kept
 * apart from what is written once and may be large (`requests`), so that ending an execution rewrites a small row.
 *
 * `ready` = claimable now; else `due_at` says when it becomes so (start time, wake-up time, or end of the lease).
 * Times are REAL milliseconds, because a script may ask for a fraction of one; whole ones are stored as compactly as integers.
 * Ended executions have neither and are in no index of the queue. `counts` and `totals` make sums flat in cost.
 */
export const SCHEMA_1 = `
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL, owner INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_owner ON accounts (owner) WHERE owner = 1;

CREATE TABLE keys (
  hash TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts (id),
  prefix TEXT NOT NULL, name TEXT NOT NULL, created_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workflows (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  ref TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, execution_mode TEXT NOT NULL,
  timeout_ms REAL, application TEXT, env TEXT NOT NULL, env_revision INTEGER NOT NULL,
  validate_input INTEGER NOT NULL, cache_enabled INTEGER, cache_ttl_ms REAL, active_version_id TEXT,
  created_at REAL NOT NULL, updated_at REAL NOT NULL, UNIQUE (account_id, ref)
) STRICT;
CREATE INDEX workflows_by_account ON workflows (account_id, number);

CREATE TABLE bundles (hash TEXT PRIMARY KEY, code TEXT NOT NULL) STRICT;
CREATE TABLE blobs (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

CREATE TABLE versions (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, workflow_id TEXT NOT NULL REFERENCES workflows (id),
  account_id TEXT NOT NULL, number TEXT NOT NULL, notes TEXT NOT NULL,
  bundle_hash TEXT NOT NULL REFERENCES bundles (hash), facts TEXT NOT NULL, isolation TEXT NOT NULL,
  accessories TEXT NOT NULL, created_at REAL NOT NULL, source_map TEXT NOT NULL, sources TEXT NOT NULL,
  UNIQUE (workflow_id, number)
) STRICT;
CREATE INDEX versions_by_workflow ON versions (workflow_id, position);
CREATE INDEX versions_by_bundle ON versions (bundle_hash);
CREATE TABLE version_blobs (
  version_id TEXT NOT NULL REFERENCES versions (id), hash TEXT NOT NULL REFERENCES blobs (hash),
  PRIMARY KEY (version_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_blobs_by_hash ON version_blobs (hash);

CREATE TABLE executions (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, workflow_id TEXT NOT NULL,
  status INTEGER NOT NULL, ready INTEGER NOT NULL, due_at REAL, priority INTEGER NOT NULL, fence INTEGER NOT NULL,
  worker TEXT, cancel INTEGER NOT NULL DEFAULT 0, started_at REAL, finished_at REAL, until_at REAL,
  cached INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0, cost_usd REAL NOT NULL DEFAULT 0, ops INTEGER NOT NULL DEFAULT 0,
  cpu_ms REAL NOT NULL DEFAULT 0, idempotency_key TEXT, parent_id TEXT, parent_pos INTEGER, error TEXT, output TEXT
) STRICT;
CREATE INDEX executions_by_account ON executions (account_id, status, number);
CREATE INDEX executions_by_workflow ON executions (workflow_id, status, number);
CREATE INDEX executions_timer ON executions (due_at) WHERE ready = 0 AND due_at IS NOT NULL;
CREATE INDEX executions_ready ON executions (account_id, priority DESC, number) WHERE ready = 1;
CREATE UNIQUE INDEX executions_by_key ON executions (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX executions_by_parent ON executions (parent_id, parent_pos) WHERE parent_id IS NOT NULL;

CREATE TABLE requests (
  number INTEGER PRIMARY KEY, version_id TEXT NOT NULL, ref TEXT NOT NULL, mode TEXT NOT NULL,
  has_secrets INTEGER NOT NULL, session_id TEXT NOT NULL, request_id TEXT NOT NULL, depth INTEGER NOT NULL,
  seed TEXT NOT NULL, created_at REAL NOT NULL, run_at REAL NOT NULL, timeout_ms REAL, cache_key TEXT,
  data TEXT NOT NULL
) STRICT;

CREATE TABLE counts (
  workflow_id TEXT NOT NULL, status INTEGER NOT NULL, account_id TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (workflow_id, status)
) STRICT, WITHOUT ROWID;
CREATE INDEX counts_by_account ON counts (account_id, status);
CREATE TRIGGER executions_added AFTER INSERT ON executions BEGIN
  INSERT INTO counts (workflow_id, status, account_id, count) VALUES (new.workflow_id, new.status, new.account_id, 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER executions_moved AFTER UPDATE OF status ON executions WHEN old.status <> new.status BEGIN
  UPDATE counts SET count = count - 1 WHERE workflow_id = old.workflow_id AND status = old.status;
  INSERT INTO counts (workflow_id, status, account_id, count) VALUES (new.workflow_id, new.status, new.account_id, 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TABLE arguments (
  number INTEGER PRIMARY KEY, workflow_id TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL,
  UNIQUE (workflow_id, hash)
) STRICT;
CREATE TABLE journal (
  execution INTEGER NOT NULL, seq INTEGER NOT NULL, pos INTEGER NOT NULL, kind TEXT NOT NULL, op TEXT NOT NULL,
  hash TEXT NOT NULL, at REAL NOT NULL, arguments INTEGER, started_at REAL, duration_ms REAL, attempts INTEGER,
  prompt_tokens INTEGER, completion_tokens INTEGER, cost_usd REAL, model TEXT, payload TEXT NOT NULL,
  UNIQUE (execution, seq)
) STRICT;
CREATE TABLE output (
  execution INTEGER NOT NULL, kind INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL, items TEXT NOT NULL,
  UNIQUE (execution, kind, last)
) STRICT;

CREATE TABLE results (
  number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, workflow_id TEXT NOT NULL, created_at REAL NOT NULL,
  expires_at REAL, bytes INTEGER NOT NULL, output TEXT, chunks TEXT
) STRICT;
CREATE INDEX results_by_workflow ON results (workflow_id);
CREATE INDEX results_by_expiry ON results (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO totals (name, value) VALUES ('result_bytes', 0);
CREATE TRIGGER results_added AFTER INSERT ON results BEGIN
  UPDATE totals SET value = value + new.bytes WHERE name = 'result_bytes';
END;
CREATE TRIGGER results_removed AFTER DELETE ON results BEGIN
  UPDATE totals SET value = value - old.bytes WHERE name = 'result_bytes';
END;

CREATE TABLE doomed (workflow_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;
