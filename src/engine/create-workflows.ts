import { fail, type SourceFile, type Upload } from "../../runtime/index.ts";
import type { Version, Workflow } from "../store/store.ts";
import { createDeploy, type WorkflowOptions } from "./deploy.ts";
import { syncSchedules } from "./schedules/config-schedules.ts";
import { checkScript, toProblems } from "./script-check.ts";
import { findVersionByNumber } from "./target.ts";
import { checkSchemas, checkSettings, toRow } from "./workflow-settings.ts";
import type { WorkflowService } from "./workflows.ts";

interface Key {
  readonly accountId: string;
  readonly key: string;
}

type Uploads = Pick<WorkflowService, "deploy" | "receiveAccessory" | "discardAccessory">;

function createUploads(options: WorkflowOptions): Uploads {
  const { accessories, limits } = options;
  return {
    deploy: createDeploy(options),
    receiveAccessory: (source) => accessories.receive(source, limits.maxAccessoryBytes),
    discardAccessory: (received) => accessories.discard(received),
  };
}

/** Makes the service that keeps the definitions of workflows. */
export function createWorkflows(options: WorkflowOptions): WorkflowService {
  const { store, runtime, profileOf } = options;

  const find = async ({ accountId, key }: Key): Promise<Workflow> => {
    const workflow = await store.findWorkflow({ accountId, key });
    if (workflow === null) throw fail("WORKFLOW_NOT_FOUND", { ref: key });
    return workflow;
  };

  const activeVersion = async ({ accountId, activeVersionId: versionId }: Workflow): Promise<Version | null> =>
    versionId === null ? null : store.findVersion({ accountId, versionId });

  const findVersion = async (workflow: Workflow, number: string | null): Promise<Version> => {
    if (number !== null) return findVersionByNumber(store, workflow, number);
    const active = await activeVersion(workflow);
    if (active === null) throw fail("VERSION_NOT_FOUND", { ref: workflow.ref, version: "active" });
    return active;
  };

  return {
    ...createUploads(options),
    async validate(upload, accountId, given = {}) {
      try {
        checkSchemas(given);
        await checkScript(runtime, upload, { accountId, profile: profileOf(accountId) });
        return [];
      } catch (error) {
        return toProblems(error);
      }
    },
    async update({ accountId, key, settings }) {
      checkSettings(settings);
      const workflow = await find({ accountId, key });
      return store.putWorkflow(toRow(workflow, workflow, settings));
    },
    find,
    activeVersion,
    list: (params) => store.listWorkflows(params),
    async remove(params) {
      const { accountId, id: workflowId } = await find(params);
      await store.deleteWorkflow({ accountId, workflowId });
      options.removed?.(workflowId);
    },
    async versions(params) {
      const { accountId, id: workflowId } = await find(params);
      return store.listVersions({ accountId, workflowId });
    },
    version: (params) => store.findVersion(params),
    async activate({ number, ...key }) {
      const workflow = await find(key);
      const version = await findVersion(workflow, number);
      const { accountId, id: workflowId } = workflow;
      const now = Date.now();
      const activated = store.activateVersion({ accountId, workflowId, versionId: version.id, now });
      await Promise.all([activated, syncSchedules(version, store, now)]);
      return version;
    },
    async sources({ number, ...key }) {
      const workflow = await find(key);
      const { accountId, id: versionId } = await findVersion(workflow, number);
      const code = await store.versionCode({ accountId, versionId });
      if (code === null) throw fail("VERSION_NOT_FOUND", { ref: workflow.ref, version: number ?? "active" });
      const stored = JSON.parse(code.sources) as Upload | readonly SourceFile[];
      return "files" in stored ? stored : { files: stored };
    },
  };
}
