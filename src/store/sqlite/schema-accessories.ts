/** Large accessories: their contents are beside the database, as those of files are. */
export const SCHEMA_ACCESSORIES = `
CREATE TABLE version_contents (
  version_id TEXT NOT NULL REFERENCES versions (id), hash TEXT NOT NULL, PRIMARY KEY (version_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_contents_by_hash ON version_contents (hash);
CREATE TRIGGER version_contents_removed AFTER DELETE ON version_contents BEGIN
  INSERT INTO loose_contents (hash) VALUES (old.hash) ON CONFLICT DO NOTHING;
END;
`;
