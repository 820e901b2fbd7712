/** What keys may do, how long, and how much they and their accounts may ask; keys of before may do everything. */
export const SCHEMA_KEYS = `
ALTER TABLE accounts ADD COLUMN created_at REAL NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN requests_per_minute INTEGER;
ALTER TABLE accounts ADD COLUMN concurrency INTEGER;
CREATE UNIQUE INDEX accounts_name ON accounts (name);

ALTER TABLE keys ADD COLUMN id TEXT;
ALTER TABLE keys ADD COLUMN scopes TEXT NOT NULL DEFAULT 'admin';
ALTER TABLE keys ADD COLUMN refs TEXT;
ALTER TABLE keys ADD COLUMN requests_per_minute INTEGER;
ALTER TABLE keys ADD COLUMN concurrency INTEGER;
ALTER TABLE keys ADD COLUMN expires_at REAL;
ALTER TABLE keys ADD COLUMN last_used_at REAL;
UPDATE keys SET id = 'key_' || lower(hex(randomblob(16)));
CREATE UNIQUE INDEX keys_id ON keys (id);
CREATE INDEX keys_account ON keys (account_id, created_at);
`;
