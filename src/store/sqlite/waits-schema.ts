/**
 * Waits, questions to people and events. `executions.waits` = 1 once rows of these tables may belong to an execution, so
 * that the end of all others costs nothing here. State of a wait: 0 open, 1 answered, 2 recorded, 3 its execution ended.
 * Kind: 0 event, 1 approval. An event under way to many waits has a `cursor`: waits up to it have been looked at, and
 * those after `upto` came later than the event. `taken`: who had an event already.
 */
export const WAITS_SCHEMA = `
ALTER TABLE executions ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN sleeps TEXT;

CREATE TABLE waits (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, execution INTEGER NOT NULL, pos INTEGER NOT NULL,
  account_id TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, state INTEGER NOT NULL, since REAL NOT NULL,
  until REAL, event INTEGER, match TEXT, detail TEXT, answer TEXT, UNIQUE (execution, pos)
) STRICT;
CREATE INDEX waits_by_name ON waits (account_id, name, number) WHERE state = 0 AND kind = 0;
CREATE INDEX waits_to_decide ON waits (account_id, number) WHERE state = 0 AND kind = 1;
CREATE INDEX waits_answered ON waits (execution) WHERE state = 1;
CREATE INDEX waits_by_event ON waits (event) WHERE event IS NOT NULL;

CREATE TABLE events (
  number INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL,
  execution INTEGER, at REAL NOT NULL, expires_at REAL, upto INTEGER NOT NULL, cursor INTEGER,
  reached INTEGER NOT NULL, payload TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_name ON events (account_id, name, number) WHERE execution IS NULL;
CREATE INDEX events_by_execution ON events (execution, name, number) WHERE execution IS NOT NULL;
CREATE INDEX events_by_expiry ON events (expires_at) WHERE expires_at IS NOT NULL AND cursor IS NULL;
CREATE INDEX events_under_way ON events (cursor) WHERE cursor IS NOT NULL;

CREATE TABLE taken (event INTEGER NOT NULL, execution INTEGER NOT NULL, PRIMARY KEY (event, execution)) STRICT, WITHOUT ROWID;
CREATE INDEX taken_by_execution ON taken (execution);

CREATE TABLE event_ids (
  account_id TEXT NOT NULL, id TEXT NOT NULL, hash TEXT NOT NULL, event INTEGER NOT NULL, at REAL NOT NULL,
  reached INTEGER NOT NULL, expires_at REAL NOT NULL, PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_ids_by_expiry ON event_ids (expires_at);

CREATE TRIGGER waits_over AFTER UPDATE OF status ON executions WHEN new.waits = 1 AND new.status > 2 BEGIN
  DELETE FROM waits WHERE execution = new.number AND kind = 0;
  UPDATE waits SET state = 3 WHERE execution = new.number AND state = 0;
  DELETE FROM events WHERE execution = new.number;
END;
CREATE TRIGGER waits_removed AFTER DELETE ON executions WHEN old.waits = 1 BEGIN
  DELETE FROM waits WHERE execution = old.number;
  DELETE FROM events WHERE execution = old.number;
  DELETE FROM taken WHERE execution = old.number;
END;
`;

/** The calls that a parked execution waits for, as JSON: position, op, hash and arguments of each. */
export const AWAITED = "ALTER TABLE executions ADD COLUMN awaited TEXT";
