/** Who managed what. Rows are only added, and removed when they are old. */
export const SCHEMA_AUDIT = `
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, account_id TEXT NOT NULL, key_id TEXT NOT NULL,
  key_name TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, status INTEGER NOT NULL, address TEXT NOT NULL,
  request_id TEXT NOT NULL
) STRICT;
CREATE INDEX audit_account ON audit (account_id, seq);
`;
