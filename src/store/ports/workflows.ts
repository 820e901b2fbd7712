import type { Page, Version, VersionCode, Workflow } from "../rows.ts";

/** Workflows, their versions and the content these are made of. */
export interface WorkflowStore {
  /** Creates or (same account and ref) updates the workflow's settings. */
  putWorkflow(
    params: Omit<Workflow, "number" | "activeVersionId" | "envRevision" | "updatedAt"> & { readonly now: number },
  ): Promise<Workflow>;
  /** By ref, by UUID or by number text, within the account. */
  findWorkflow(params: { readonly accountId: string; readonly key: string }): Promise<Workflow | null>;
  /** Without those that run agents, whose refs begin with `agent:`. */
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
  /** Other sources that make the same bundle: the version keeps its identity, errors get the new lines. VERSION_NOT_FOUND. */
  replaceSources(
    params: { readonly accountId: string; readonly versionId: string } & Omit<VersionCode, "code">,
  ): Promise<void>;
  findVersion(params: { readonly accountId: string; readonly versionId: string }): Promise<Version | null>;
  /** Newest first. */
  listVersions(params: { readonly accountId: string; readonly workflowId: string }): Promise<readonly Version[]>;
  versionCode(params: { readonly accountId: string; readonly versionId: string }): Promise<VersionCode | null>;
  /** Bundle code by hash, for workers that do not have it; bundles are shared by content. */
  bundleCode(params: { readonly hash: string }): Promise<string | null>;
  putBlob(params: { readonly hash: string; readonly bytes: Uint8Array }): Promise<void>;
  readBlob(params: { readonly hash: string }): Promise<Uint8Array | null>;
}
