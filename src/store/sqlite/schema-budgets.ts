/**
 * Budgets. A purse is one limit with what was spent and set aside of it: of an execution, or of a pool (`pool` '' = the
 * account's) on one day (`day`: days since the epoch, UTC). Amounts are whole numbers, US dollars in billionths; they
 * are REAL so that sums beyond any limit lose digits rather than fail. A reservation that goes gives back what it had
 * set aside, whoever removes it. `shortages`: executions that are parked because a budget is used up.
 */
export const SCHEMA_BUDGETS = `
ALTER TABLE requests ADD COLUMN budget TEXT;

CREATE TABLE pools (
  account_id TEXT NOT NULL, pool TEXT NOT NULL, usd REAL, tokens REAL, calls REAL, PRIMARY KEY (account_id, pool)
) STRICT, WITHOUT ROWID;
CREATE TABLE purses (
  number INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL, execution INTEGER UNIQUE, pool TEXT, day INTEGER,
  usd_limit REAL, tokens_limit REAL, calls_limit REAL,
  usd_spent REAL NOT NULL DEFAULT 0, tokens_spent REAL NOT NULL DEFAULT 0, calls_spent REAL NOT NULL DEFAULT 0,
  usd_reserved REAL NOT NULL DEFAULT 0, tokens_reserved REAL NOT NULL DEFAULT 0, calls_reserved REAL NOT NULL DEFAULT 0,
  UNIQUE (account_id, pool, day)
) STRICT;
CREATE TABLE reservations (
  ticket INTEGER PRIMARY KEY AUTOINCREMENT, execution INTEGER NOT NULL, pos INTEGER NOT NULL, slot INTEGER NOT NULL,
  usd REAL NOT NULL, tokens REAL NOT NULL, calls REAL NOT NULL, purses TEXT NOT NULL, UNIQUE (execution, pos, slot)
) STRICT;
CREATE TRIGGER reservations_released AFTER DELETE ON reservations BEGIN
  UPDATE purses SET usd_reserved = usd_reserved - old.usd, tokens_reserved = tokens_reserved - old.tokens,
    calls_reserved = calls_reserved - old.calls
  WHERE number IN (SELECT value FROM json_each(old.purses));
END;

CREATE TABLE shortages (
  execution INTEGER PRIMARY KEY, account_id TEXT NOT NULL, workflow_id TEXT, root TEXT NOT NULL, since REAL NOT NULL,
  pooled INTEGER NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE INDEX shortages_by_root ON shortages (root);
CREATE INDEX shortages_of_pools ON shortages (account_id) WHERE pooled = 1;
CREATE INDEX shortages_by_workflow ON shortages (workflow_id, since) WHERE workflow_id IS NOT NULL;
CREATE TRIGGER shortages_over AFTER UPDATE OF status ON executions WHEN old.status = 2 AND new.status <> 2 BEGIN
  DELETE FROM shortages WHERE execution = new.number;
END;
CREATE TRIGGER budgets_removed AFTER DELETE ON executions BEGIN
  DELETE FROM reservations WHERE execution = old.number;
  DELETE FROM purses WHERE execution = old.number;
  DELETE FROM shortages WHERE execution = old.number;
END;

CREATE TABLE budget_revisions (account_id TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE top_ups (
  account_id TEXT NOT NULL, key TEXT NOT NULL, asked TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX top_ups_by_time ON top_ups (at);
`;
