import type { Isolation, Limits, Runtime } from "../../runtime/index.ts";
import type { ResultCache } from "../cache/result-cache.ts";
import type { Store, Version } from "../store/store.ts";
import type { AccessoryContents } from "./accessory-contents.ts";
import type { Admission } from "./admission.ts";
import type { AgentService } from "./agents/agent-service.ts";
import type { ApprovalLinks } from "./approval-links.ts";
import type { Bells } from "./bells.ts";
import type { Ledger } from "./budgets/ledger.ts";
import type { Claims } from "./claims.ts";
import type { Retention } from "./config/retention.ts";
import type { RunFiles } from "./files/run-files.ts";
import type { Hits } from "./hits.ts";
import type { JobLimit } from "./job-limit.ts";
import type { LiveRuns } from "./live-runs.ts";
import type { News } from "./news.ts";
import type { Plan } from "./plans.ts";
import type { Profiles } from "./profiles.ts";
import type { RowKeeper } from "./row.ts";
import type { SecretSource } from "./secrets/secret-service.ts";
import type { Strikes } from "./strikes.ts";

/** Numbers and words an operator chooses. */
export interface EngineSettings {
  /** Executions called from outside that run at the same time. */
  readonly maxConcurrent: number;
  /** Calls that wait for a place. */
  readonly maxQueued: number;
  /** Executions of one account that wait in the store's queue. */
  readonly maxJobs: number;
  /** Nested executions that one call from outside may start in total. */
  readonly maxNested: number;
  /** Least isolation of every execution. */
  readonly isolation: Isolation;
  /** How long the result of a pure execution is kept when nobody named a time, ms. */
  readonly cacheTtlMs: number;
  /** How long ended executions are kept where a script says nothing. */
  readonly retention: Retention;
  /** How long an idempotency key stands for its execution, ms. */
  readonly idempotencyTtlMs: number;
}

/** What the engine stands on. */
export interface EngineOptions {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly cache: ResultCache;
  readonly limits: Limits;
  readonly profileOf: Profiles;
  readonly links: ApprovalLinks;
  readonly files: RunFiles;
  readonly ledger: Ledger;
  readonly secrets: SecretSource;
  readonly accessories: AccessoryContents;
  readonly agents: Pick<AgentService, "toCall">;
  readonly settings: EngineSettings;
  /** Gets errors that are bugs of ours or failures of the disk. */
  readonly report: (error: unknown) => void;
}

/** The engine's own parts, shared by its files. */
export interface Parts extends EngineOptions {
  readonly keeper: RowKeeper;
  readonly hits: Hits;
  /** Rung for an execution when readers of it may find something new. */
  readonly bells: Bells;
  readonly news: News;
  readonly live: LiveRuns;
  readonly strikes: Strikes;
  readonly admission: Admission;
  readonly claims: Claims;
  readonly jobs: JobLimit;
  readonly planOf: (version: Version) => Plan;
  /** False once the engine has stopped: whoever waits for the store gives up. */
  isOpen(): boolean;
}
