/** How long a workflow's ended executions are kept, as JSON text; NULL = what its script says. */
export const RETENTION = "ALTER TABLE workflows ADD COLUMN retention TEXT;";
