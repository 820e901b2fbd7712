import type { Page } from "../rows.ts";
import type { CallWebhook, Delivery, DeliveryAttempt, WebhookEndpoint, WebhookStatus } from "./webhook-rows.ts";

interface EndpointKey {
  readonly accountId: string;
  readonly endpointId: string;
}

interface DeliveryKey {
  readonly accountId: string;
  readonly deliveryId: string;
}

/** Something to tell about an execution; written in the transaction that changes the execution. */
export interface WebhookEvent {
  readonly number: number;
  readonly accountId: string;
  readonly executionId: string;
  readonly status: WebhookStatus;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A receiver of an event. */
export type WebhookTarget = Pick<Delivery, "url" | "endpointId" | "target">;

/** Whom executions are told to: endpoints of an account, and single calls. */
export interface WebhookStore {
  /** RATE_LIMITED when the account has `max` already. */
  addEndpoint(params: {
    readonly endpoint: Omit<WebhookEndpoint, "former" | "disabledReason" | "createdAt" | "updatedAt">;
    readonly max: number;
    readonly now: number;
  }): Promise<WebhookEndpoint>;
  /** Replaces what an endpoint says; enabling it clears why it was disabled. False when unknown. */
  redefineEndpoint(
    params: EndpointKey &
      Pick<WebhookEndpoint, "url" | "description" | "events" | "workflowIds" | "enabled"> & { readonly now: number },
  ): Promise<boolean>;
  /** The server's own decision; false when unknown. */
  disableEndpoint(params: EndpointKey & { readonly reason: string; readonly now: number }): Promise<boolean>;
  /** Sets a new secret; the present one signs as well until `formerUntil`. False when unknown. */
  rotateEndpoint(
    params: EndpointKey & { readonly secret: string; readonly formerUntil: number; readonly now: number },
  ): Promise<boolean>;
  /** False when unknown; its log stays until it is old. */
  removeEndpoint(params: EndpointKey): Promise<boolean>;
  findEndpoint(params: EndpointKey): Promise<WebhookEndpoint | null>;
  /** Newest first. */
  listEndpoints(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<WebhookEndpoint>>;
  /** Call it before the execution is stored: it is durable no later than that. */
  addCallWebhook(params: { readonly executionId: string; readonly webhook: CallWebhook }): Promise<void>;
  removeCallWebhook(params: { readonly executionId: string }): Promise<void>;
  /** Removes those whose execution was never stored; at start only. */
  dropOrphanedWebhooks(): Promise<void>;
}

/** Messages: what happened, what is to be sent, and what came of it. */
export interface DeliveryStore {
  /** What happened and was not yet made into deliveries, oldest first. */
  webhookEvents(params: { readonly max: number }): Promise<readonly WebhookEvent[]>;
  /** Who is told of an event. */
  webhookTargets(params: {
    readonly event: WebhookEvent;
    readonly workflowId: string;
  }): Promise<readonly WebhookTarget[]>;
  /** Makes an event into deliveries that are due at once, in one transaction; a second call for the event does nothing. */
  addDeliveries(params: {
    readonly event: WebhookEvent;
    readonly deliveries: readonly Pick<Delivery, "id" | "endpointId" | "target" | "url" | "type" | "payload">[];
    readonly now: number;
  }): Promise<void>;
  /** Targets after `after` (in text order) that have a delivery due; `next` says where to go on, null at the end. Looks at a bounded number of targets. */
  dueTargets(params: {
    readonly now: number;
    readonly after: string;
    readonly max: number;
  }): Promise<{ readonly targets: readonly string[]; readonly next: string | null }>;
  /** Takes due deliveries of a target, the longest due first; each is an attempt, and due again after the lease. */
  claimDeliveries(params: {
    readonly target: string;
    readonly now: number;
    readonly max: number;
    readonly leaseMs: number;
  }): Promise<readonly Delivery[]>;
  /** Logs an attempt and says how the delivery goes on: `dueAt` null = it is over. False when another attempt has begun. */
  endAttempt(params: {
    readonly deliveryId: string;
    readonly attempt: DeliveryAttempt;
    readonly status: Delivery["status"];
    readonly dueAt: number | null;
    readonly now: number;
  }): Promise<boolean>;
  /** Gives an attempt up that was not made: due at once, and not counted. */
  releaseDelivery(params: {
    readonly deliveryId: string;
    readonly attempt: number;
    readonly now: number;
  }): Promise<void>;
  findDelivery(params: DeliveryKey): Promise<Delivery | null>;
  /** Newest first. */
  listDeliveries(params: {
    readonly accountId: string;
    readonly endpointId: string | null;
    readonly executionId: string | null;
    readonly limit: number;
    readonly offset: number;
  }): Promise<readonly Delivery[]>;
  /** Oldest first. */
  readAttempts(params: DeliveryKey): Promise<readonly DeliveryAttempt[]>;
  /** Makes a delivery due at once, as if it were new; false when unknown or pending. */
  replayDelivery(params: DeliveryKey & { readonly now: number }): Promise<boolean>;
  /** Removes up to `max` deliveries that ended before a time, with their attempts; returns how many. */
  pruneDeliveries(params: { readonly before: number; readonly max: number }): Promise<number>;
}
