import { randomUUID } from "node:crypto";
import type { Limits, Runtime } from "../../runtime/index.ts";
import type { Store, Version, VersionCode, Workflow } from "../store/store.ts";
import { checkAccessories, mergeAccessories, sameAccessories } from "./accessories.ts";
import type { AccessoryContents, StagedAccessory } from "./accessory-contents.ts";
import { attachedTo } from "./datastores/attach.ts";
import type { Profiles } from "./profiles.ts";
import { checkRef } from "./ref.ts";
import { syncSchedules } from "./schedules/config-schedules.ts";
import { type CheckedScript, checkScript } from "./script-check.ts";
import { createTurns } from "./turns.ts";
import { nextVersionNumber } from "./version-number.ts";
import { checkSettings, toRow } from "./workflow-settings.ts";
import type { Deployment, DeployRequest } from "./workflows.ts";

/** What the workflow service stands on. */
export interface WorkflowOptions {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly profileOf: Profiles;
  readonly accessories: AccessoryContents;
  /** Told of each workflow that was deleted. */
  readonly removed?: (workflowId: string) => void;
}

/** What is known before a version is stored. */
interface Found {
  readonly staged: readonly StagedAccessory[];
  readonly known: Workflow | null;
  readonly versions: readonly Version[];
}

async function findKnown({ accountId, ref }: DeployRequest, store: Store): Promise<Omit<Found, "staged">> {
  const known = await store.findWorkflow({ accountId, key: ref });
  if (known === null) return { known, versions: [] };
  return { known, versions: await store.listVersions({ accountId, workflowId: known.id }) };
}

/** True when a version has just these accessories and datastores. */
const sameFiles = (newest: Version, { accessories, datastores }: Pick<Version, "accessories" | "datastores">) =>
  sameAccessories(newest.accessories, accessories) && newest.datastores.join() === datastores.join();

async function storeVersion(
  request: DeployRequest,
  found: Found,
  script: CheckedScript,
  { store, limits, accessories: contents }: WorkflowOptions,
): Promise<Deployment> {
  const { accountId, bump, notes, publish, upload } = request;
  const { bundle, facts, isolation } = script;
  const newest = found.versions[0] ?? null;
  const { sourceMap } = bundle;
  const sources = JSON.stringify(upload);
  const { staged } = found;
  const accessories = mergeAccessories({ staged, without: request.withoutAccessories ?? [] }, newest, limits);
  const datastores = await attachedTo(request, newest, store);
  const row = toRow(request, found.known, request.settings);
  if (newest?.bundleHash === bundle.hash && sameFiles(newest, { accessories, datastores })) {
    const { now } = row;
    const versionId = newest.id;
    const workflow = store.putWorkflow(row);
    const activated = publish ? store.activateVersion({ accountId, workflowId: row.id, versionId, now }) : null;
    const scheduled = publish ? syncSchedules(newest, store, now) : null;
    const replaced = store.replaceSources({ accountId, versionId, sourceMap, sources });
    const beside = request.beside?.({ workflowId: row.id, versionId });
    await Promise.all([workflow, activated, scheduled, replaced, beside]);
    return { workflow: await reread(store, row), version: newest, created: false };
  }
  const version: Version = {
    id: randomUUID(),
    workflowId: row.id,
    accountId,
    number: nextVersionNumber(
      found.versions.map((one) => one.number),
      bump,
    ),
    notes,
    bundleHash: bundle.hash,
    facts,
    isolation,
    accessories,
    datastores,
    createdAt: row.now,
  };
  const code: VersionCode = { code: bundle.code, sourceMap, sources };
  await contents.keep(staged, async () => {
    // Called in one turn: workflow, files and version become durable together or not at all.
    const workflow = store.putWorkflow(row);
    const added = store.addVersion({ version, code, activate: publish });
    const beside = request.beside?.({ workflowId: row.id, versionId: version.id });
    await Promise.all([workflow, added, publish ? syncSchedules(version, store, row.now) : null, beside]);
  });
  return { workflow: await reread(store, row), version, created: true };
}

async function reread(store: Store, { accountId, ref }: { accountId: string; ref: string }): Promise<Workflow> {
  const workflow = await store.findWorkflow({ accountId, key: ref });
  if (workflow === null) throw new Error(`workflow ${ref} vanished while it was deployed`);
  return workflow;
}

/** Stores an upload as a new version. */
export type Deploy = (request: DeployRequest) => Promise<Deployment>;

/** Makes the function for users' uploads, whose refs they choose. */
export function createDeploy(options: WorkflowOptions): Deploy {
  const deploy = createAnyDeploy(options);
  return async (request) => {
    checkRef(request.ref);
    return deploy(request);
  };
}

/** Makes the function for uploads under any ref; uploads of the same workflow take turns. */
export function createAnyDeploy(options: WorkflowOptions): Deploy {
  const { store, runtime, limits, profileOf, accessories } = options;
  const inTurn = createTurns();

  return async (request) => {
    const { accountId, ref, upload } = request;
    checkSettings(request.settings);
    checkAccessories(request, limits);
    const script = await checkScript(runtime, upload, { accountId, profile: profileOf(accountId) });
    const staged = await accessories.stage(request.accessories);
    try {
      return await inTurn(`${accountId}:${ref}`, async () =>
        storeVersion(request, { staged, ...(await findKnown(request, store)) }, script, options),
      );
    } finally {
      await accessories.release(staged);
    }
  };
}
