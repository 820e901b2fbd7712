/** What of an execution endpoints are told. */
export type WebhookStatus = "waiting" | "completed" | "failed" | "cancelled";

/** Where an account wants to be told of its executions. */
export interface WebhookEndpoint {
  /** `whk_<32 hex digits>`. */
  readonly id: string;
  readonly accountId: string;
  readonly url: string;
  readonly description: string;
  readonly events: readonly WebhookStatus[];
  /** UUIDs of the workflows it is told of; null = all. */
  readonly workflowIds: readonly string[] | null;
  /** Encrypted signing secret. */
  readonly secret: string;
  /** Encrypted secret before the last rotation, which signs as well until then; null when there is none. */
  readonly former: { readonly secret: string; readonly until: number } | null;
  readonly enabled: boolean;
  /** Why the server disabled it; null when it did not. */
  readonly disabledReason: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Where one call wants to be told of its execution. */
export interface CallWebhook {
  readonly url: string;
  readonly events: readonly WebhookStatus[];
  /** Endpoint whose secret signs; null = the account's own secret. */
  readonly endpointId: string | null;
}

/** One message to one receiver. */
export interface Delivery {
  /** `msg_<32 hex digits>`. */
  readonly id: string;
  readonly accountId: string;
  readonly executionId: string;
  /** Endpoint it goes to, or whose secret signs; null = the account's own secret. */
  readonly endpointId: string | null;
  /** What shares a bound on concurrency: an endpoint, or an account's calls to one origin. */
  readonly target: string;
  readonly url: string;
  readonly type: string;
  /** JSON text. */
  readonly payload: string;
  readonly status: "pending" | "delivered" | "failed";
  /** Attempts begun in all. */
  readonly attempts: number;
  /** Attempts begun before the last replay: those do not count towards giving up. */
  readonly attemptsBefore: number;
  /** When it is sent (or, while it is under way, sent again should this server die); null when it is over. */
  readonly dueAt: number | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** One attempt of a delivery. */
export interface DeliveryAttempt {
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly durationMs: number;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Why there was no answer or none that counts; null when it was taken. */
  readonly error: string | null;
  /** Beginning of the answer's body. */
  readonly answer: string | null;
}
