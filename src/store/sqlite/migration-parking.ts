/** Waits are summed up where they begin and end, whoever parks or wakes an execution. */
export const PARKING = `
CREATE TRIGGER executions_parked AFTER UPDATE OF status ON executions WHEN new.status = 2 AND old.status <> 2 BEGIN
  UPDATE executions SET parked_at = unixepoch('subsec') * 1000 WHERE number = new.number;
END;
CREATE TRIGGER executions_woken AFTER UPDATE OF status ON executions WHEN old.status = 2 AND new.status <> 2 BEGIN
  UPDATE executions SET parked_at = NULL,
    waited_ms = waited_ms + max(0, unixepoch('subsec') * 1000 - coalesce(parked_at, unixepoch('subsec') * 1000))
  WHERE number = new.number;
END;
`;
