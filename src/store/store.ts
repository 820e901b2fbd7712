import type { AccountStore } from "./ports/accounts.ts";
import type { AgentStore } from "./ports/agents.ts";
import type { AuditStore } from "./ports/audit.ts";
import type { BudgetStore } from "./ports/budgets.ts";
import type { DatastoreStore } from "./ports/datastores.ts";
import type { EventStore } from "./ports/events.ts";
import type { ExecutionStore } from "./ports/executions.ts";
import type { FileStore } from "./ports/files.ts";
import type { ForkStore } from "./ports/forks.ts";
import type { GraphStore } from "./ports/graphs.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { JournalStore } from "./ports/journal.ts";
import type { LeaseStore } from "./ports/leases.ts";
import type { RemovalStore } from "./ports/removal.ts";
import type { ResultStore } from "./ports/results.ts";
import type { ScheduleStore } from "./ports/schedules.ts";
import type { SecretStore } from "./ports/secrets.ts";
import type { SettingStore } from "./ports/settings.ts";
import type { TraceStore } from "./ports/traces.ts";
import type { WaitStore } from "./ports/waits.ts";
import type { DeliveryStore, WebhookStore } from "./ports/webhooks.ts";
import type { WorkflowStore } from "./ports/workflows.ts";

export type { SpentUsage } from "../../runtime/index.ts";
export type { AccountChanges, KeyChanges, KeyOfAccount } from "./ports/accounts.ts";
export type { Agent, AgentVersion } from "./ports/agents.ts";
export type { AuditEntry } from "./ports/audit.ts";
export type { Amounts, Balance, ExecutionBudget, Shortage } from "./ports/budget-rows.ts";
export type { BudgetStore, Pool, Refusal, Reserved, TopUpTarget } from "./ports/budgets.ts";
export type { ByteRange, ContentStore, Received, ReceiveLimit } from "./ports/contents.ts";
export type {
  Datastore,
  DatastoreFile,
  DatastoreImport,
  DatastoreImportState,
  DatastoreImportUsage,
  DatastorePin,
  DatastoreRevision,
  NewDatastoreImport,
} from "./ports/datastores.ts";
export type { NewEvent, Sending } from "./ports/events.ts";
export type { ErrorFilter, ExecutionFilter, ExecutionPage, ListPosition } from "./ports/execution-filter.ts";
export type { FileQuota, StoredFile } from "./ports/files.ts";
export type { Fork } from "./ports/forks.ts";
export type { GraphFacts, ListedGraph, Rating, RunCounts, Trigger } from "./ports/graphs.ts";
export type { Gates } from "./ports/jobs.ts";
export type { PieceStore } from "./ports/pieces.ts";
export type { EndedRoot } from "./ports/removal.ts";
export type { SealedValue, StoredSecret } from "./ports/secrets.ts";
export type { Excerpt, NodeUsage, Parking, TraceEntry } from "./ports/traces.ts";
export type {
  Approval,
  LiveAnswer,
  NewApproval,
  NewWait,
  OpenWait,
  WaitKey,
  WaitStatus,
} from "./ports/waits.ts";
export type { CallWebhook, Delivery, DeliveryAttempt, WebhookEndpoint, WebhookStatus } from "./ports/webhook-rows.ts";
export type { WebhookEvent, WebhookTarget } from "./ports/webhooks.ts";
export type {
  Account,
  ApiKey,
  CachedResult,
  CacheHit,
  Caller,
  Ending,
  Execution,
  ExecutionMode,
  ExecutionState,
  Lease,
  ListedExecution,
  NewExecution,
  Page,
  Schedule,
  ScheduleDefinition,
  Scope,
  StoredKey,
  TrafficLimits,
  Version,
  VersionCode,
  Workflow,
} from "./rows.ts";

/**
 * Persistence port. Every mutation resolves only once it is durable (one group commit per event-loop turn), unless its
 * sentence says otherwise; calls made in order take effect in order. All times are milliseconds since the epoch.
 * Reads see every mutation already called. Methods take one readonly params object. Unknown ids read as null.
 */
export interface Store
  extends AccountStore,
    BudgetStore,
    WorkflowStore,
    ExecutionStore,
    FileStore,
    ForkStore,
    GraphStore,
    LeaseStore,
    JobStore,
    JournalStore,
    RemovalStore,
    ResultStore,
    TraceStore,
    ScheduleStore,
    SettingStore,
    WaitStore,
    EventStore,
    WebhookStore,
    DeliveryStore,
    AgentStore,
    AuditStore,
    SecretStore,
    DatastoreStore {
  /** Why nothing could be written a moment ago (full, read-only or failing disk): new work should not begin. Null when all is well. */
  diskError(): Error | null;
  /** False once the disk has lost a commit: nothing can be promised until the server is started again. */
  isSound(): boolean;
  /** Commits what is pending and closes. */
  close(): Promise<void>;
}
