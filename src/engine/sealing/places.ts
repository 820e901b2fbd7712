/** What sealed values are bound to: a value that is moved to another place does not open there. */
export const PLACES = {
  /** An endpoint of webhooks out; its former secret, too. */
  endpoint: (endpointId: string) => `webhook endpoint ${endpointId}`,
  /** The account's own secret for webhooks out. */
  account: (accountId: string) => `webhook account ${accountId}`,
  /** A webhook of a graph, by the account: the same secret is in the graph and in the table of webhooks. */
  trigger: (accountId: string) => `graph webhook ${accountId}`,
  /** A stored secret. */
  secret: (accountId: string, name: string) => `secret ${accountId} ${name}`,
  /** A stored secret that is a handle: its hosts are in it. */
  handle: (accountId: string, name: string) => `secret handle ${accountId} ${name}`,
} as const;

/** Setting of the store with the account's own webhook secret. */
export const ownWebhookSecret = (accountId: string): string => `webhook secret of ${accountId}`;
