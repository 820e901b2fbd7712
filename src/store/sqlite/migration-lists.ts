/**
 * Lists by time: the indexes of accounts and workflows are sorted by creation within each status, ended executions are
 * found by their end, and calls that named a session by it (a session that nobody named is the execution's own id and
 * needs no index). Waiting is summed up, so that timings can be told.
 */
export const LISTS = `
ALTER TABLE executions ADD COLUMN created_at REAL NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN parked_at REAL;
ALTER TABLE executions ADD COLUMN waited_ms REAL NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN session_owner TEXT;
UPDATE executions SET created_at = (SELECT r.created_at FROM requests r WHERE r.number = executions.number);
UPDATE requests SET session_owner = (SELECT e.account_id FROM executions e WHERE e.number = requests.number);

DROP INDEX executions_by_account;
DROP INDEX executions_by_workflow;
CREATE INDEX executions_by_account ON executions (account_id, status, created_at);
CREATE INDEX executions_by_workflow ON executions (workflow_id, status, created_at);
CREATE INDEX executions_by_end ON executions (account_id, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX requests_by_session ON requests (session_owner, session_id, created_at) WHERE session_owner IS NOT NULL;
`;
