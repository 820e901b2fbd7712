/** Graphs: what is known beside workflows, documents by version, ratings, webhooks. All go with their workflow. */
export const SCHEMA_GRAPHS = `
CREATE TABLE graph_facts (
  workflow_id TEXT PRIMARY KEY, account_id TEXT NOT NULL, dialect TEXT, category TEXT, public INTEGER NOT NULL,
  color TEXT, variables TEXT NOT NULL, deployed INTEGER NOT NULL, published_version_id TEXT, armed_until REAL,
  revision INTEGER NOT NULL, label TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX graph_facts_public ON graph_facts (public) WHERE public = 1;
CREATE TABLE graph_documents (
  version_id TEXT PRIMARY KEY, workflow_id TEXT NOT NULL, account_id TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX graph_documents_by_workflow ON graph_documents (workflow_id);
CREATE TABLE graph_ratings (
  workflow_id TEXT NOT NULL, account_id TEXT NOT NULL, stars INTEGER NOT NULL, PRIMARY KEY (workflow_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE graph_triggers (
  id TEXT PRIMARY KEY, workflow_id TEXT NOT NULL, account_id TEXT NOT NULL, node_id TEXT NOT NULL, secret TEXT NOT NULL,
  single_use INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX graph_triggers_by_workflow ON graph_triggers (workflow_id);
CREATE TRIGGER workflow_graph_removed AFTER DELETE ON workflows BEGIN
  DELETE FROM graph_facts WHERE workflow_id = old.id;
  DELETE FROM graph_documents WHERE workflow_id = old.id;
  DELETE FROM graph_ratings WHERE workflow_id = old.id;
  DELETE FROM graph_triggers WHERE workflow_id = old.id;
END;
`;
