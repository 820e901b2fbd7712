/**
 * `wakings`: what was given and for whom it is not told yet, of an account's pools (`root` NULL) or below one call from
 * outside; `after`: the last execution that was told. `shortages_since`: since when an execution that nobody called has
 * not got any money, however often it asked.
 */
export const SCHEMA_WAKINGS = `
CREATE TABLE wakings (
  number INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL, root TEXT, after INTEGER NOT NULL
) STRICT;
CREATE INDEX wakings_of ON wakings (account_id, root);
CREATE TABLE shortages_since (root TEXT PRIMARY KEY, since REAL NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO shortages_since (root, since) SELECT root, min(since) FROM shortages GROUP BY root;
CREATE TRIGGER shortages_since_removed AFTER DELETE ON executions WHEN old.parent_id IS NULL BEGIN
  DELETE FROM shortages_since WHERE root = old.id;
END;
`;
