/** What the embeddings of an import took and cost. */
export const IMPORT_USAGE = `
ALTER TABLE datastore_imports ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datastore_imports ADD COLUMN cost_usd REAL NOT NULL DEFAULT 0;
`;
