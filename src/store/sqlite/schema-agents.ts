/** Agents and their versions; an agent's versions are numbered from 1. */
export const SCHEMA_AGENTS = `
CREATE TABLE agents (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, name TEXT NOT NULL,
  active_version INTEGER, newest_version INTEGER NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL,
  UNIQUE (account_id, name)
) STRICT;
CREATE TABLE agent_versions (
  agent INTEGER NOT NULL REFERENCES agents (number), number INTEGER NOT NULL, definition TEXT NOT NULL, notes TEXT NOT NULL,
  created_at REAL NOT NULL, PRIMARY KEY (agent, number)
) STRICT, WITHOUT ROWID;
`;
