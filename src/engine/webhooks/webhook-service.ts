import type { Delivery, DeliveryAttempt, Page, WebhookEndpoint, WebhookStatus } from "../types.ts";

/** Which endpoint, of whom. */
export interface EndpointKey {
  readonly accountId: string;
  readonly endpointId: string;
}

/** What an endpoint says; workflows by ref, number or UUID, null = all. */
export interface EndpointRule {
  readonly url: string;
  readonly description: string;
  readonly events: readonly WebhookStatus[];
  readonly workflows: readonly string[] | null;
  readonly enabled: boolean;
}

/** A delivery with the log of its attempts. */
export interface LoggedDelivery {
  readonly delivery: Delivery;
  readonly attempts: readonly DeliveryAttempt[];
}

/** Webhooks out: endpoints, and what was sent to them. Throws WorkflowError; NOT_FOUND for an unknown endpoint or delivery. */
export interface WebhookService {
  /** The secret is returned here and never again. INVALID_REQUEST, WORKFLOW_NOT_FOUND. */
  create(params: {
    readonly accountId: string;
    readonly rule: EndpointRule;
  }): Promise<{ readonly endpoint: WebhookEndpoint; readonly secret: string }>;
  list(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<WebhookEndpoint>>;
  find(key: EndpointKey): Promise<WebhookEndpoint>;
  /** Absent members keep their value. */
  update(params: EndpointKey & { readonly changes: Partial<EndpointRule> }): Promise<WebhookEndpoint>;
  /** Makes a new secret, returned here and never again; the former one signs as well for a day. */
  rotate(key: EndpointKey): Promise<{ readonly endpoint: WebhookEndpoint; readonly secret: string }>;
  remove(key: EndpointKey): Promise<void>;
  /** Makes the account's own secret, which signs callbacks of calls that name no endpoint. */
  renewSecret(accountId: string): Promise<string>;
  /** Newest first. */
  deliveries(params: {
    readonly accountId: string;
    readonly endpointId: string | null;
    readonly executionId: string | null;
    readonly limit: number;
    readonly offset: number;
  }): Promise<readonly Delivery[]>;
  delivery(params: { readonly accountId: string; readonly deliveryId: string }): Promise<LoggedDelivery>;
  /** Sends it once more, under the same message id; CONFLICT while it is pending. */
  replay(params: { readonly accountId: string; readonly deliveryId: string }): Promise<Delivery>;
}
