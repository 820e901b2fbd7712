import type { Bundle, ModuleFacts, Upload } from "./bundle-types.ts";
import type { DatastoreRuntime } from "./datastores/datastore-runtime.ts";
import type { Outbound } from "./egress/outbound.ts";
import type { ErrorRecord } from "./errors.ts";
import type { ExecutionHost, ExecutionJob, ExecutionOutcome, HostProfile } from "./execution.ts";
import type { Limits } from "./limits.ts";
import type { ModelConfig } from "./models/config.ts";
import type { Cost } from "./spending.ts";
import type { HostWall } from "./wall/bubblewrap.ts";

/** Settings of the runtime; nothing optional. */
export interface RuntimeOptions {
  /** Worker threads, each owning one host process per profile in use. */
  readonly workers: number;
  /** Environment-derived settings of model upstreams (see models/config.ts), plain data. */
  readonly models: ModelConfig;
  /** Limits of uploads and of their inspection. */
  readonly limits: Limits;
  /** CIDR ranges that scripts may reach although private. */
  readonly allowPrivate: readonly string[];
  /** Hosts that anything but the configured models may reach (`host`, `*.host`, either with `:port`); absent or empty = any public one. */
  readonly allowHosts?: readonly string[];
  /** Directory of all datastores; null where there are none, such as in a replay on another machine. */
  readonly datastores: string | null;
  /** What stands around host processes besides Node's permission model. */
  readonly hostWall: HostWall;
  /** More flags of Node for host processes; absent = none. */
  readonly hostFlags?: readonly string[];
  /** Profiles to start hosts for before the first execution. */
  readonly warm: readonly HostProfile[];
  /** Bundle code by hash, for workers that do not have it. */
  loadBundle(hash: string): Promise<string | null>;
  /** Takes what a call that was reserved for has cost, also after its attempt has ended; of a ticket, the first counts. */
  settle(ticket: number, cost: Cost): void;
}

/** Facts for /readyz and metrics. */
export interface RuntimeStats {
  readonly running: number;
  readonly hosts: readonly {
    readonly pid: number;
    readonly profile: HostProfile;
    readonly ready: boolean;
    readonly running: number;
    readonly residentBytes: number;
  }[];
  readonly hostsReplaced: number;
}

/** The wall, the pool and the bundler behind one door. */
export interface Runtime {
  /** Resolves when every worker has its host processes; rejects when they cannot be started. */
  ready(): Promise<void>;
  /** Bundles an upload; throws BUNDLE_FAILED with `details.problems: BundleProblem[]`. */
  bundle(upload: Upload): Promise<Bundle>;
  /** Evaluates the bundle's top level in the sandbox and reads config and schemas; throws BUNDLE_FAILED when that throws or exceeds a limit. */
  inspect(params: {
    readonly bundle: Bundle;
    readonly accountId: string;
    readonly profile: HostProfile;
  }): Promise<ModuleFacts>;
  /** Runs (or resumes) one execution; never rejects for anything the script did. `bundle`: code that `loadBundle` does not have. */
  run(job: ExecutionJob, host: ExecutionHost, bundle?: Pick<Bundle, "hash" | "code">): Promise<ExecutionOutcome>;
  /** Ends a running execution with `error`; no-op when it is not running here. */
  cancel(executionId: string, error: ErrorRecord): void;
  /** Requests of the server itself to addresses that its users chose. */
  readonly outbound: Pick<Outbound, "check" | "post">;
  /** The files of datastores. */
  readonly datastores: DatastoreRuntime;
  stats(): RuntimeStats;
  /** Closes the pool and kills every host. */
  close(): Promise<void>;
}
