/**
 * Jobs: attempts of an execution, and the gates in front of the queue. `executions.gated` = 1 once a row of `gates`
 * belongs to it, so that all others cost nothing here. State of a gate: 1 not yet due, 2 waits for a slot, 3 waits for
 * its rate, 4 the next one of its rate (due when the rate allows it), 5 passed. From 3 on it holds its slot, if it has one.
 * `starts` holds the newest starts of a rate, numbered; what is older than its period may go.
 */
export const SCHEMA_JOBS = `
ALTER TABLE executions ADD COLUMN gated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE executions ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN resumed_at REAL;

CREATE TABLE gates (
  number INTEGER PRIMARY KEY, state INTEGER NOT NULL, priority INTEGER NOT NULL, slot TEXT, slot_limit INTEGER,
  rate TEXT, rate_limit INTEGER, rate_ms REAL, rated INTEGER NOT NULL, debounce TEXT, debounce_until REAL
) STRICT;
CREATE INDEX gates_by_slot ON gates (slot, priority DESC, number) WHERE state = 2;
CREATE INDEX gates_by_rate ON gates (rate, state, priority DESC, number) WHERE state IN (3, 4);
CREATE UNIQUE INDEX gates_by_debounce ON gates (debounce) WHERE debounce IS NOT NULL;
CREATE TRIGGER gates_removed AFTER DELETE ON executions WHEN old.gated = 1 BEGIN
  DELETE FROM gates WHERE number = old.number;
END;

CREATE TABLE slots (slot TEXT PRIMARY KEY, taken INTEGER NOT NULL, capacity INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE starts (
  rate TEXT NOT NULL, n INTEGER NOT NULL, at REAL NOT NULL, expires_at REAL NOT NULL, PRIMARY KEY (rate, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX starts_by_expiry ON starts (expires_at);
`;
