import type { Upload } from "../../runtime/index.ts";
import type { Page, Received, Version, Workflow } from "./types.ts";

/** JSON Schemas or field maps for scripts that export none; null = none. */
export interface GivenSchemas {
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
}

/** What an upload or an update may set; absent members keep their value. */
export interface WorkflowSettings extends GivenSchemas {
  readonly name?: string;
  readonly description?: string;
  readonly executionMode?: Workflow["executionMode"];
  readonly timeoutMs?: number;
  readonly application?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly validateInput?: boolean;
  readonly cache?: NonNullable<Workflow["cache"]>;
  /** Null: what the script says. */
  readonly retention?: Workflow["retention"];
}

/** An accessory in an upload: in memory, or received (see {@link WorkflowService.receiveAccessory}). */
export type UploadedAccessory = { readonly key: string; readonly filename: string } & (
  | { readonly bytes: Uint8Array }
  | { readonly received: Received }
);

/** One upload, whatever dialect it came in. */
export interface DeployRequest {
  readonly accountId: string;
  readonly ref: string;
  readonly upload: Upload;
  readonly settings: WorkflowSettings;
  readonly accessories: readonly UploadedAccessory[];
  /** Keys of accessories that the new version has no longer. */
  readonly withoutAccessories?: readonly string[];
  /** Names of the datastores that it may read; absent: those of the newest version. */
  readonly datastores?: readonly string[];
  /** Names of datastores that it may read besides. */
  readonly alsoDatastores?: readonly string[];
  /** False: the version is stored, the active one stays. */
  readonly publish: boolean;
  readonly bump: "major" | "minor" | "patch";
  readonly notes: string;
  /** Writes what becomes durable along with the version, or not at all. */
  readonly beside?: (stored: { readonly workflowId: string; readonly versionId: string }) => Promise<unknown>;
}

/** What an upload did. */
export interface Deployment {
  readonly workflow: Workflow;
  readonly version: Version;
  /** False when bundle, accessories and datastores equal those of the newest version. */
  readonly created: boolean;
}

/** One problem of a script, for `validate`. */
export interface ScriptProblem {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly lineText?: string;
}

/** Definitions: upload, list, versions, activate, delete. Throws WorkflowError. */
export interface WorkflowService {
  deploy(request: DeployRequest): Promise<Deployment>;
  /** Receives the content of an accessory as it comes, for an upload that follows; PAYLOAD_TOO_LARGE naming the limit. */
  receiveAccessory(source: AsyncIterable<Uint8Array>): Promise<Received>;
  /** Throws away what was received; nothing happens to what an upload took. */
  discardAccessory(received: Received): Promise<void>;
  /** All problems of a script, and of schemas given beside it, none when all is fine; stores nothing. */
  validate(upload: Upload, accountId: string, given?: GivenSchemas): Promise<readonly ScriptProblem[]>;
  update(params: {
    readonly accountId: string;
    readonly key: string;
    readonly settings: WorkflowSettings;
  }): Promise<Workflow>;
  find(params: { readonly accountId: string; readonly key: string }): Promise<Workflow>;
  list(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Workflow>>;
  remove(params: { readonly accountId: string; readonly key: string }): Promise<void>;
  /** The version that calls get; null when there is none. */
  activeVersion(workflow: Workflow): Promise<Version | null>;
  versions(params: { readonly accountId: string; readonly key: string }): Promise<readonly Version[]>;
  /** A version by its id; null when it is unknown. */
  version(params: { readonly accountId: string; readonly versionId: string }): Promise<Version | null>;
  activate(params: { readonly accountId: string; readonly key: string; readonly number: string }): Promise<Version>;
  /** The uploaded sources of a version (null = the active one). */
  sources(params: {
    readonly accountId: string;
    readonly key: string;
    readonly number: string | null;
  }): Promise<Upload>;
}
