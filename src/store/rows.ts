import type { Chunk, ErrorRecord, Isolation, ModuleFacts, Sleep, Usage } from "../../runtime/index.ts";
import type { ExecutionBudget, Shortage } from "./ports/budget-rows.ts";

/** Bounds of what one key, or all keys of one account together, may ask of the server; null = none. */
export interface TrafficLimits {
  /** Requests in a minute. */
  readonly requestsPerMinute: number | null;
  /** Requests that are being answered at the same time. */
  readonly concurrency: number | null;
}

/** An account: every other row belongs to one. */
export interface Account {
  /** UUID. */
  readonly id: string;
  /** Unique in the server. */
  readonly name: string;
  /** The owner's own account runs in `fast` hosts, and its `admin` keys manage the other accounts. */
  readonly owner: boolean;
  /** True: its keys are refused. What already runs goes on. */
  readonly suspended: boolean;
  /** Of all its keys together. */
  readonly limits: TrafficLimits;
}

/** What a key may do; `admin` means everything. */
export type Scope = "invoke" | "deploy" | "read" | "admin";

/** An API key; its text is stored nowhere. */
export interface ApiKey {
  /** `key_<32 hex digits>`. */
  readonly id: string;
  /** Keys of one name share a daily budget; there are several of a name only while one is replaced by another. */
  readonly name: string;
  /** The first characters, which lists may show. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** The only workflows that it reaches: refs, or beginnings of refs that end in `*`; null = all. */
  readonly refs: readonly string[] | null;
  readonly limits: TrafficLimits;
  /** Milliseconds since the epoch; null = it does not expire. */
  readonly expiresAt: number | null;
}

/** An API key as its account sees it. */
export interface StoredKey extends ApiKey {
  readonly createdAt: number;
  /** To the minute; null = never. */
  readonly lastUsedAt: number | null;
}

/** An account as one of its API keys names it. */
export interface Caller extends Account {
  readonly key: ApiKey;
}

/** A stored workflow under its public name. */
export interface Workflow {
  /** Small integer, unique in the server: the `id` of the Maitai dialect. */
  readonly number: number;
  /** UUID. */
  readonly id: string;
  readonly accountId: string;
  readonly ref: string;
  readonly name: string;
  readonly description: string;
  readonly executionMode: "sync" | "async" | "stream";
  readonly timeoutMs: number | null;
  readonly application: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** Counts changes of env: part of the cache key. */
  readonly envRevision: number;
  readonly validateInput: boolean;
  /** JSON Schema or field map for versions whose script exports none; null = none. */
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  /** Result cache chosen by the API; null = what the script's config says. */
  readonly cache: { readonly enabled: boolean; readonly ttlMs: number | null } | null;
  /** How long ended executions are kept, chosen by the API; a null member, or null = what the script's config says. */
  readonly retention: { readonly ageMs: number | null; readonly runs: number | null } | null;
  /** Id of the active version; null before the first is published. */
  readonly activeVersionId: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

interface AccessoryFile {
  readonly hash: string;
  readonly bytes: number;
  readonly filename: string;
}

/** Immutable content of a workflow. */
export interface Version {
  /** UUID. */
  readonly id: string;
  readonly workflowId: string;
  readonly accountId: string;
  /** Semantic version text, `1.0.0` first. */
  readonly number: string;
  readonly notes: string;
  readonly bundleHash: string;
  readonly facts: ModuleFacts;
  readonly isolation: Isolation;
  /** Accessory key → hex SHA-256 and size in bytes of its content. */
  readonly accessories: Readonly<Record<string, AccessoryFile>>;
  /** Names of the datastores that it may read. */
  readonly datastores: readonly string[];
  readonly createdAt: number;
}

/** Sources and bundle of a version, kept apart because they are large. */
export interface VersionCode {
  readonly code: string;
  readonly sourceMap: string;
  /** JSON text of the Upload. */
  readonly sources: string;
}

/** How an execution was asked for. */
export type ExecutionMode = "sync" | "stream" | "background" | "nested";

/** What an execution starts from; written once. */
export interface NewExecution {
  /** UUID; version 7 keeps the cost of an insert flat among millions. */
  readonly id: string;
  readonly accountId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly ref: string;
  readonly mode: ExecutionMode;
  /** JSON text of CtxData (secret values hidden). */
  readonly data: string;
  /** True when the call carried secrets: it cannot be resumed by another process. */
  readonly hasSecrets: boolean;
  readonly sessionId: string;
  readonly requestId: string;
  readonly parentId: string | null;
  readonly parentPos: number | null;
  readonly depth: number;
  readonly seed: string;
  readonly priority: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Not before this time. */
  readonly runAt: number;
  /** Wall limit, from the start for `background` and from the call for who waits; null = none. */
  readonly timeoutMs: number | null;
  readonly cacheKey: string | null;
  /** Account-wide idempotency key; null = none. */
  readonly idempotencyKey: string | null;
  readonly budget: ExecutionBudget | null;
}

/** The state of an execution. */
export type ExecutionState =
  | { readonly status: "queued" }
  | { readonly status: "running"; readonly startedAt: number }
  | {
      readonly status: "waiting";
      readonly startedAt: number;
      /** When it goes on at the latest; null = when an event or a decision comes. */
      readonly until: number | null;
      readonly sleeps: readonly Sleep[];
      /** The budget that it waits for; null when it waits for something else. */
      readonly shortage: Shortage | null;
    }
  | {
      readonly status: "completed";
      readonly startedAt: number;
      readonly finishedAt: number;
      readonly output: string | null;
      readonly cached: boolean;
    }
  | {
      readonly status: "failed" | "cancelled";
      readonly startedAt: number | null;
      readonly finishedAt: number;
      readonly error: ErrorRecord;
    };

/** One stored execution. */
export interface Execution extends NewExecution {
  readonly state: ExecutionState;
  readonly usage: Usage;
  readonly chunkCount: number;
  /** Lease holder's token: every write of a holder carries it; an older one is refused. */
  readonly fence: number;
  /** Attempts begun or planned, 1 for the first. */
  readonly attempts: number;
  /** Attempts after the first (or after it was resumed) that nobody asked for. */
  readonly retries: number;
  /** Error of the attempt before; null when there was none or it is over. */
  readonly lastError: ErrorRecord | null;
  /** When its timeout began to count anew (it was resumed, or tried again in the background); null = never. */
  readonly resumedAt: number | null;
  /** True when others may wait for its end (see Gates). */
  readonly isGated: boolean;
}

/** An execution as lists have it: without its data, and its output is null. */
export type ListedExecution = Omit<Execution, "data">;

/** Proof of holding an execution: worker id and fencing token. */
export interface Lease {
  readonly executionId: string;
  readonly fence: number;
}

/** How an execution ends. */
export type Ending =
  /** `resultOf`: of a cached one, the execution whose result it is. */
  | { readonly status: "completed"; readonly output: string | null; readonly cached: false }
  | {
      readonly status: "completed";
      readonly output: string | null;
      readonly cached: true;
      readonly resultOf: string | null;
    }
  | { readonly status: "failed" | "cancelled"; readonly error: ErrorRecord };

/** An execution that the result cache answered: over as soon as it began (`createdAt`), at no cost. */
export interface CacheHit {
  readonly execution: NewExecution;
  /** Id of the execution whose result it is; null = not known. */
  readonly resultOf: string | null;
  readonly output: string | null;
  readonly chunks: readonly Chunk[];
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
}

/** A stored result, keyed by the cache key. */
export interface CachedResult {
  /** Id of the execution that made it; null for one that an older Weft kept. */
  readonly executionId: string | null;
  readonly output: string | null;
  readonly chunks: readonly Chunk[];
  readonly createdAt: number;
  /** Milliseconds since the epoch; null = no expiry. */
  readonly expiresAt: number | null;
}

/** A page of a list, newest first. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
}

/** What a schedule says. */
export interface ScheduleDefinition {
  /** Unique within the workflow. */
  readonly name: string;
  readonly cron: string;
  /** IANA time zone. */
  readonly timezone: string;
  /** JSON text of the input; null = none. */
  readonly input: string | null;
  /** What is done about slots that passed while no server ran. */
  readonly catchUp: "skip" | "one" | "all";
  /** What is done when the execution of an earlier slot still goes on. */
  readonly overlap: "allow" | "skip" | "queue" | "cancel";
  /** Milliseconds since the epoch; no slot at or after it. Null = never. */
  readonly endAt: number | null;
}

/** A stored schedule. */
export interface Schedule extends ScheduleDefinition {
  /** `sched_<32 hex digits>`. */
  readonly id: string;
  readonly accountId: string;
  readonly workflowId: string;
  /** `config`: kept equal to what the active version's script says. */
  readonly origin: "api" | "config";
  readonly paused: boolean;
  /** Next slot; null when there is none or it is paused. */
  readonly nextAt: number | null;
  /** Slots up to here wait for an earlier execution to end; null = none. */
  readonly queuedUntil: number | null;
  /** Slots not started because of the overlap policy. */
  readonly skipped: number;
  /** Why the newest slot could not be started; null when it could. */
  readonly error: ErrorRecord | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Rises with every change. */
  readonly revision: number;
}
