import { fail } from "../../runtime/index.ts";
import type { Store, Version, Workflow } from "../store/store.ts";
import { type Pins, pinsOf } from "./datastores/attach.ts";
import type { Parts } from "./parts.ts";
import type { Plan } from "./plans.ts";

/** What a call names. */
export interface Target {
  readonly workflow: Workflow;
  readonly plan: Plan;
}

/** A target as a new execution of it begins: it reads its datastores at these revisions, to its end. */
export interface PinnedTarget extends Target {
  readonly pins: Pins;
}

/** A workflow by name. */
export interface TargetName {
  readonly accountId: string;
  readonly ref: string;
  /** Version number text, `draft` for the newest one, null for the active one. */
  readonly version: string | null;
}

/** The version that `number` names, `draft` being the newest; VERSION_NOT_FOUND. */
export async function findVersionByNumber(store: Store, workflow: Workflow, number: string): Promise<Version> {
  const { accountId, id: workflowId, ref } = workflow;
  const versions = await store.listVersions({ accountId, workflowId });
  const found = number === "draft" ? versions[0] : versions.find((version) => version.number === number);
  if (found === undefined) throw fail("VERSION_NOT_FOUND", { ref, version: number });
  return found;
}

async function findActive(store: Store, workflow: Workflow): Promise<Version> {
  const { accountId, activeVersionId, ref } = workflow;
  const version = activeVersionId === null ? null : await store.findVersion({ accountId, versionId: activeVersionId });
  if (version === null) throw fail("VERSION_NOT_FOUND", { ref, version: "active" });
  return version;
}

/** Finds what a call names; WORKFLOW_NOT_FOUND, VERSION_NOT_FOUND. */
export async function findTarget(
  name: TargetName,
  { store, planOf }: Pick<Parts, "store" | "planOf">,
): Promise<PinnedTarget> {
  const { accountId, ref, version } = name;
  const workflow = await store.findWorkflow({ accountId, key: ref });
  if (workflow === null) throw fail("WORKFLOW_NOT_FOUND", { ref });
  const found = await (version === null ? findActive(store, workflow) : findVersionByNumber(store, workflow, version));
  const plan = planOf(found);
  return { workflow, plan, pins: await pinsOf(accountId, plan.datastores, store) };
}
