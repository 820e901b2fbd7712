/** Priority of nested executions: they are claimed before others, because a running one waits for them. */
export const NESTED_PRIORITY = 10;
