/** Schema 2: executions with an idempotency key in the order of their making, so that the oldest keys are found at once. */
export const KEYS_BY_AGE = `
CREATE INDEX executions_keyed ON executions (number) WHERE idempotency_key IS NOT NULL;
`;
