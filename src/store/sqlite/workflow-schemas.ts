/** What uploads say about input and output, as JSON texts; NULL = nothing. */
export const WORKFLOW_SCHEMAS = `
ALTER TABLE workflows ADD COLUMN input_schema TEXT;
ALTER TABLE workflows ADD COLUMN output_schema TEXT;
`;
