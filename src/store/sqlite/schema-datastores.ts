/**
 * Datastores and what is on its way into them. `retired_at` of a file says since when no reader comes to it. Which files
 * an unfinished execution reads is taken from its data by triggers, so that no way of adding one forgets it; most
 * executions read none, which the beginning of their data tells.
 */
export const SCHEMA_DATASTORES = `
CREATE TABLE datastores (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, name TEXT NOT NULL,
  definition TEXT NOT NULL, revision INTEGER NOT NULL DEFAULT 0, base INTEGER NOT NULL DEFAULT 0, schema TEXT,
  rows INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, next_base INTEGER NOT NULL DEFAULT 1,
  created_at REAL NOT NULL, updated_at REAL NOT NULL, UNIQUE (account_id, name)
) STRICT;

CREATE TABLE datastore_files (
  datastore_id TEXT NOT NULL, base INTEGER NOT NULL, account_id TEXT NOT NULL, retired_at REAL,
  PRIMARY KEY (datastore_id, base)
) STRICT, WITHOUT ROWID;
CREATE INDEX datastore_files_retired ON datastore_files (retired_at) WHERE retired_at IS NOT NULL;

CREATE TABLE datastore_imports (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, datastore_id TEXT NOT NULL,
  format TEXT NOT NULL, options TEXT NOT NULL, definition TEXT NOT NULL, bytes INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'queued', started_at REAL, ended_at REAL, revision INTEGER, rows INTEGER, warnings TEXT,
  error TEXT, created_at REAL NOT NULL
) STRICT;
CREATE INDEX datastore_imports_of ON datastore_imports (datastore_id, number);
CREATE INDEX datastore_imports_open ON datastore_imports (account_id) WHERE ended_at IS NULL;

CREATE TABLE datastore_pins (
  datastore_id TEXT NOT NULL, base INTEGER NOT NULL, execution INTEGER NOT NULL,
  PRIMARY KEY (datastore_id, base, execution)
) STRICT, WITHOUT ROWID;
CREATE INDEX datastore_pins_of ON datastore_pins (execution);
CREATE TRIGGER requests_pin AFTER INSERT ON requests WHEN new.data GLOB '{"datastores":*' BEGIN
  INSERT OR IGNORE INTO datastore_pins (datastore_id, base, execution)
  SELECT json_extract(d.value, '$.id'), json_extract(d.value, '$.base'), new.number FROM json_each(new.data, '$.datastores') d
  WHERE (SELECT status FROM executions WHERE number = new.number) < 3;
END;
CREATE TRIGGER requests_repin AFTER UPDATE OF data ON requests WHEN new.data GLOB '{"datastores":*' BEGIN
  INSERT OR IGNORE INTO datastore_pins (datastore_id, base, execution)
  SELECT json_extract(d.value, '$.id'), json_extract(d.value, '$.base'), new.number FROM json_each(new.data, '$.datastores') d;
END;
CREATE TRIGGER requests_unpin AFTER DELETE ON requests WHEN old.data GLOB '{"datastores":*' BEGIN
  DELETE FROM datastore_pins WHERE execution = old.number;
END;

ALTER TABLE versions ADD COLUMN datastores TEXT NOT NULL DEFAULT '[]';
`;
