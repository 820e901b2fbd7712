/** The API key whose daily pool pays for the embeddings of an import. */
export const IMPORT_PAYER = `
ALTER TABLE datastore_imports ADD COLUMN payer TEXT;
`;
