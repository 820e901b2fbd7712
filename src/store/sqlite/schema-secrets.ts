/** Stored secrets, sealed: the key is kept apart. */
export const SCHEMA_SECRETS = `
CREATE TABLE secrets (
  account_id TEXT NOT NULL, name TEXT NOT NULL, sealed TEXT NOT NULL, refs TEXT, created_at REAL NOT NULL,
  updated_at REAL NOT NULL, PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;
`;

/** Handles: secrets whose values only some hosts get. */
export const SECRET_HOSTS = "ALTER TABLE secrets ADD COLUMN hosts TEXT";
