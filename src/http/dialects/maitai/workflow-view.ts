import type { Version, Workflow } from "../../../engine/types.ts";
import type { Deployment, ScriptProblem, WorkflowService } from "../../../engine/workflows.ts";

/** A workflow and its active version as the API shows them. Times are seconds since the epoch. */
export function toWorkflowView(workflow: Workflow, active: Version | null): Record<string, unknown> {
  return {
    id: workflow.number,
    uuid: workflow.id,
    workflow_ref_name: workflow.ref,
    workflow_name: workflow.name,
    description: workflow.description,
    execution_mode: workflow.executionMode,
    timeout_seconds: workflow.timeoutMs === null ? null : workflow.timeoutMs / 1_000,
    application_name: workflow.application,
    env: workflow.env,
    validate_input: workflow.validateInput,
    cache:
      workflow.cache === null
        ? null
        : { enabled: workflow.cache.enabled, ttl_seconds: (workflow.cache.ttlMs ?? 0) / 1_000 || null },
    retention:
      workflow.retention === null
        ? null
        : { age_seconds: (workflow.retention.ageMs ?? 0) / 1_000 || null, runs: workflow.retention.runs },
    active_version: active?.number ?? null,
    published_version: active === null ? null : { id: active.id, version_number: active.number },
    input_schema: active?.facts.inputSchema ?? workflow.inputSchema,
    output_schema: active?.facts.outputSchema ?? workflow.outputSchema,
    created_at: Math.floor(workflow.createdAt / 1_000),
    updated_at: Math.floor(workflow.updatedAt / 1_000),
  };
}

/** What an upload did. `published_version` is the version of this upload, `active` says whether calls get it. */
export function toDeploymentView({ workflow, version, created }: Deployment): Record<string, unknown> {
  return {
    id: workflow.number,
    uuid: workflow.id,
    workflow_ref_name: workflow.ref,
    workflow_name: workflow.name,
    published_version: { id: version.id, version_number: version.number },
    active: workflow.activeVersionId === version.id,
    version_created: created,
    bundle_sha256: version.bundleHash,
    isolation: version.isolation,
    datastores: version.datastores,
  };
}

/** One problem of a script. */
export function toProblemView({ lineText, ...problem }: ScriptProblem): Record<string, unknown> {
  return lineText === undefined ? problem : { ...problem, line_text: lineText };
}

/** A version as the API shows it. */
export function toVersionView(version: Version, activeVersionId: string | null): Record<string, unknown> {
  return {
    id: version.id,
    version_number: version.number,
    active: version.id === activeVersionId,
    notes: version.notes,
    bundle_sha256: version.bundleHash,
    isolation: version.isolation,
    config: version.facts.config,
    input_schema: version.facts.inputSchema,
    output_schema: version.facts.outputSchema,
    accessories: Object.entries(version.accessories).map(([key, { filename, bytes, hash }]) => ({
      key,
      filename,
      bytes,
      sha256: hash,
    })),
    datastores: version.datastores,
    created_at: Math.floor(version.createdAt / 1_000),
  };
}

/** A workflow with its active version, ready to show; also when it has been deleted meanwhile. */
export async function showWorkflow(workflows: WorkflowService, workflow: Workflow): Promise<Record<string, unknown>> {
  return toWorkflowView(workflow, await workflows.activeVersion(workflow));
}
