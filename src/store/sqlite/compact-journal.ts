/**
 * Schema: arguments and parts as what they add to an earlier delivery of the same execution (see journal-texts.ts). All
 * of an execution's journal is in its own rows: removing or cutting it leaves nothing behind and asks nobody else.
 */
export const COMPACT_JOURNAL = `
ALTER TABLE journal ADD COLUMN payload_delta TEXT;
ALTER TABLE journal ADD COLUMN args_delta TEXT;
ALTER TABLE journal ADD COLUMN args TEXT;
UPDATE journal SET args = (SELECT text FROM arguments a WHERE a.number = journal.arguments) WHERE arguments IS NOT NULL;
ALTER TABLE journal DROP COLUMN arguments;
DROP TABLE arguments;
`;
