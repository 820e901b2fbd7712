/**
 * Files. `hash` is null while an upload is awaited until `until`. Whoever removes a file, directly or along with its
 * execution, leaves its content in `loose_contents`, from where the collector takes it; uses are looked up, not counted.
 */
export const SCHEMA_FILES = `
CREATE TABLE files (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, name TEXT NOT NULL,
  content_type TEXT NOT NULL, bytes INTEGER NOT NULL, hash TEXT, scope_type TEXT, scope_id TEXT, execution_id TEXT,
  pos INTEGER, created_at REAL NOT NULL, until_at REAL
) STRICT;
CREATE INDEX files_by_account ON files (account_id, created_at, id);
CREATE UNIQUE INDEX files_by_execution ON files (execution_id, pos) WHERE execution_id IS NOT NULL;
CREATE INDEX files_by_hash ON files (hash) WHERE hash IS NOT NULL;
CREATE INDEX files_awaited ON files (until_at) WHERE until_at IS NOT NULL;
CREATE TABLE file_totals (
  account_id TEXT PRIMARY KEY, files INTEGER NOT NULL, bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE loose_contents (hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TRIGGER files_added AFTER INSERT ON files BEGIN
  INSERT INTO file_totals (account_id, files, bytes) VALUES (new.account_id, 1, new.bytes)
  ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + new.bytes;
END;
CREATE TRIGGER files_removed AFTER DELETE ON files BEGIN
  UPDATE file_totals SET files = files - 1, bytes = bytes - old.bytes WHERE account_id = old.account_id;
  INSERT INTO loose_contents (hash) SELECT old.hash WHERE old.hash IS NOT NULL ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER executions_files AFTER DELETE ON executions BEGIN
  DELETE FROM files WHERE execution_id = old.id;
END;
`;
