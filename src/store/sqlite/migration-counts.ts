/** New executions are counted, and pinned to the files of datastores, by the statement that adds them: a trigger costs each of them more than the row itself. */
export const COUNTED_BY_HAND = `
DROP TRIGGER executions_added;
DROP TRIGGER requests_pin;
`;
