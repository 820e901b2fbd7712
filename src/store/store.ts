import type { Chunk, ErrorRecord, JournalRecord, LogLine, Usage } from "../../runtime/index.ts";
import type {
  Account,
  CachedResult,
  Ending,
  Execution,
  ExecutionState,
  Lease,
  NewExecution,
  Page,
  Version,
  VersionCode,
  Workflow,
} from "./rows.ts";

export type {
  Account,
  CachedResult,
  Ending,
  Execution,
  ExecutionMode,
  ExecutionState,
  Lease,
  NewExecution,
  Page,
  Version,
  VersionCode,
  Workflow,
} from "./rows.ts";

/**
 * Persistence port. Every mutation resolves only once it is durable (one group commit per event-loop turn), unless its
 * sentence says otherwise; calls made in order take effect in order. All times are milliseconds since the epoch.
 * Reads see every mutation already called. Methods take one readonly params object. Unknown ids read as null.
 */
export interface Store {
  // accounts and keys
  /** The owner's account, made on first use. */
  ownerAccount(): Promise<Account>;
  addKey(params: {
    readonly accountId: string;
    readonly hash: string;
    readonly prefix: string;
    readonly name: string;
    readonly createdAt: number;
  }): Promise<void>;
  /** Account of the key whose hex SHA-256 is `hash`; synchronous because every request asks (served from memory where it can). */
  accountOfKey(params: { readonly hash: string }): Account | null;
  hasKeys(): Promise<boolean>;
  /** Revokes the keys of this name except the one whose hash is `except`. */
  removeKeys(params: { readonly accountId: string; readonly name: string; readonly except: string }): Promise<void>;

  // workflows and versions
  /** Creates or (same account and ref) updates the workflow's settings. */
  putWorkflow(
    params: Omit<Workflow, "number" | "activeVersionId" | "envRevision" | "updatedAt"> & { readonly now: number },
  ): Promise<Workflow>;
  /** By ref, by UUID or by number text, within the account. */
  findWorkflow(params: { readonly accountId: string; readonly key: string }): Promise<Workflow | null>;
  listWorkflows(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Workflow>>;
  /** Deletes the workflow, its versions, executions and results, and bundles and files nobody else uses; resolves when all is gone. False when unknown. */
  deleteWorkflow(params: { readonly accountId: string; readonly workflowId: string }): Promise<boolean>;
  /** Adds an immutable version and, if asked, makes it the active one, in one transaction. CONFLICT when the number exists or an accessory's content was not put before; WORKFLOW_NOT_FOUND. */
  addVersion(params: {
    readonly version: Version;
    readonly code: VersionCode;
    readonly activate: boolean;
  }): Promise<void>;
  /** VERSION_NOT_FOUND when it is not a version of this workflow. */
  activateVersion(params: {
    readonly accountId: string;
    readonly workflowId: string;
    readonly versionId: string;
    readonly now: number;
  }): Promise<void>;
  findVersion(params: { readonly accountId: string; readonly versionId: string }): Promise<Version | null>;
  /** Newest first. */
  listVersions(params: { readonly accountId: string; readonly workflowId: string }): Promise<readonly Version[]>;
  versionCode(params: { readonly accountId: string; readonly versionId: string }): Promise<VersionCode | null>;
  /** Bundle code by hash, for workers that do not have it; bundles are shared by content. */
  bundleCode(params: { readonly hash: string }): Promise<string | null>;

  // content-addressed files
  putBlob(params: { readonly hash: string; readonly bytes: Uint8Array }): Promise<void>;
  readBlob(params: { readonly hash: string }): Promise<Uint8Array | null>;

  // executions: the three that add one throw WORKFLOW_NOT_FOUND when the workflow is gone
  /** Stores a queued execution. Idempotent on (account, idempotencyKey) and on (parentId, parentPos): returns the existing one then. */
  enqueue(params: {
    readonly execution: NewExecution;
  }): Promise<{ readonly execution: Execution; readonly created: boolean }>;
  /** Stores an execution that starts at once, already leased by `worker` with fence 1 until `createdAt + leaseMs`; may be called without awaiting: later mutations never become durable before it. CONFLICT when id, idempotency key or parent position is taken. */
  startExecution(params: {
    readonly execution: NewExecution;
    readonly worker: string;
    readonly leaseMs: number;
  }): Promise<Lease>;
  /** Stores start and end of an execution in one row and one commit (cache hits, runs that finished before their row was written). */
  recordExecution(params: {
    readonly execution: NewExecution;
    readonly ending: Ending;
    readonly startedAt: number;
    readonly finishedAt: number;
    readonly usage: Usage;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
  }): Promise<void>;
  /** Leases up to `max` runnable executions (queued or waiting with runAt/until due, or running with an expired lease), by priority (higher first), then age, fair between accounts (the one with the fewest running first), at most `perAccount` running each; none below `minPriority` (null = any). Raises their fence. One that someone asked to stop may be among them: `renew` before running it. */
  claim(params: {
    readonly worker: string;
    readonly max: number;
    readonly leaseMs: number;
    readonly now: number;
    readonly perAccount: number;
    readonly minPriority: number | null;
  }): Promise<readonly Execution[]>;
  /** Earliest time at which claim would find something that is not due yet; null when nothing waits. */
  nextDue(): Promise<number | null>;
  /** Extends leases; per lease `ok`, `cancel` (someone asked to stop it) or `lost` (another holder has it). */
  renew(params: {
    readonly worker: string;
    readonly leases: readonly Lease[];
    readonly leaseMs: number;
    readonly now: number;
  }): Promise<readonly ("ok" | "cancel" | "lost")[]>;
  /** Makes every running execution of other workers claimable at once: for stores with a single server, at start. */
  releaseOthers(params: { readonly worker: string }): Promise<number>;
  /** Ends an execution, with its chunks and logs not yet stored; false when the fence is old or it already ended. */
  completeExecution(params: {
    readonly lease: Lease;
    readonly ending: Ending;
    readonly usage: Usage;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
    readonly now: number;
  }): Promise<boolean>;
  /** Parks an execution until a time; false when the fence is old. */
  waitExecution(params: {
    readonly lease: Lease;
    readonly until: number;
    readonly usage: Usage;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
  }): Promise<boolean>;
  /** Marks a queued or waiting execution cancelled; asks a running one to stop. False when it already ended or is unknown. */
  cancelExecution(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly now: number;
    readonly error: ErrorRecord;
  }): Promise<boolean>;
  findExecution(params: { readonly accountId: string; readonly executionId: string }): Promise<Execution | null>;
  findChild(params: { readonly parentId: string; readonly parentPos: number }): Promise<Execution | null>;
  listExecutions(params: {
    readonly accountId: string;
    readonly workflowId: string | null;
    readonly status: ExecutionState["status"] | null;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Execution>>;

  // journal, chunks, logs
  /** Appends deliveries; throws CONFLICT when the fence is old or a seq is not the next. */
  appendJournal(params: { readonly lease: Lease; readonly records: readonly JournalRecord[] }): Promise<void>;
  readJournal(params: { readonly executionId: string }): Promise<readonly JournalRecord[]>;
  /** Appends chunks and log lines; an index already stored is skipped. Refuses silently when the fence is old. */
  appendOutput(params: {
    readonly lease: Lease;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
  }): Promise<void>;
  readChunks(params: {
    readonly executionId: string;
    readonly from: number;
    readonly limit: number;
  }): Promise<readonly Chunk[]>;
  readLogs(params: {
    readonly executionId: string;
    readonly from: number;
    readonly limit: number;
  }): Promise<readonly LogLine[]>;

  // result cache
  readResult(params: { readonly key: string; readonly now: number }): Promise<CachedResult | null>;
  writeResult(params: {
    readonly key: string;
    readonly workflowId: string;
    readonly result: CachedResult;
  }): Promise<void>;

  /** Removes up to `max` results: expired ones, then the oldest while all together exceed `maxBytes`; returns how many. Called again by the cache until 0. */
  pruneResults(params: { readonly now: number; readonly maxBytes: number; readonly max: number }): Promise<number>;

  /** A small server-wide value (for example a key for HMACs); null when unset. */
  readSetting(params: { readonly name: string }): Promise<string | null>;
  writeSetting(params: { readonly name: string; readonly value: string }): Promise<void>;

  /** Commits what is pending and closes. */
  close(): Promise<void>;
}
