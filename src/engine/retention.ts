import type { EndedRoot, Store } from "../store/store.ts";
import type { Retention } from "./config/retention.ts";
import type { Parts } from "./parts.ts";

type RetentionParts = Pick<Parts, "store" | "planOf" | "report" | "isOpen"> & {
  readonly settings: { readonly retention: Retention };
  /** Ends an execution that waits for money. */
  endShort(target: { readonly accountId: string; readonly executionId: string }): Promise<void>;
};
type Place = Pick<EndedRoot, "createdAt" | "number">;

/** Time between two looks at everything, ms. */
const SWEEP_MS = 60_000;
/** Rows looked at per turn of the event loop. */
const PAGE = 100;
const WORKFLOWS = 50;

const isBefore = (one: Place, other: Place | null) =>
  other !== null &&
  (one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.number < other.number));

/** What applies to a workflow: what the API chose, its active version's config, the server's settings where that says nothing. */
async function retentionOf(accountId: string, workflowId: string, parts: RetentionParts): Promise<Retention> {
  const { store, planOf, settings } = parts;
  const workflow = await store.findWorkflow({ accountId, key: workflowId });
  const versionId = workflow?.activeVersionId ?? null;
  const version = versionId === null ? null : await store.findVersion({ accountId, versionId });
  const own = version === null ? null : planOf(version).config.retention;
  const chosen = workflow?.retention ?? null;
  const ageMs = chosen?.ageMs ?? own?.ageMs ?? settings.retention.ageMs;
  return { ageMs, runs: chosen?.runs ?? own?.runs ?? settings.retention.runs };
}

/** From where on executions are kept. */
interface Border {
  /** Those made before this one are too many; null = none is. */
  readonly kept: Place | null;
  /** Those ended before are too old, ms since the epoch. */
  readonly endBefore: number;
}

/** What is to be done about an execution; `stop`: whatever was made later is kept, too. */
function judge(root: EndedRoot, { kept, endBefore }: Border): "remove" | "keep" | "stop" {
  if (isBefore(root, kept) || root.finishedAt < endBefore) return "remove";
  return root.createdAt < endBefore ? "keep" : "stop";
}

/** Removes what it must of one page; `null`: nothing more is to be done. */
async function sweepPage(items: readonly EndedRoot[], border: Border, parts: RetentionParts): Promise<number | null> {
  let removed = 0;
  for (const root of items) {
    const verdict = parts.isOpen() ? judge(root, border) : "stop";
    if (verdict === "stop") return removed === 0 ? null : removed;
    if (verdict === "keep") continue;
    const { accountId, id: executionId } = root;
    if ((await parts.store.removeExecution({ accountId, executionId, results: false })) !== null) removed++;
  }
  return removed;
}

/** Ends what has waited for money longer than executions are kept; it is kept as any other from then on. */
async function endShort(workflowId: string, before: number, parts: RetentionParts): Promise<void> {
  for (const { id: executionId, accountId } of await parts.store.listShort({ workflowId, before, limit: PAGE })) {
    if (parts.isOpen()) await parts.endShort({ accountId, executionId });
  }
}

/** Removes what is too old or too much of one workflow; returns how many executions that nobody called. */
async function sweepWorkflow(workflowId: string, { ageMs, runs }: Retention, parts: RetentionParts, now: number) {
  if (ageMs === null && runs === null) return 0;
  const { store } = parts;
  if (ageMs !== null) await endShort(workflowId, now - ageMs, parts);
  const kept = runs === null ? null : await store.oldestKept({ workflowId, keep: runs });
  const border = { kept, endBefore: ageMs === null ? Number.NEGATIVE_INFINITY : now - ageMs };
  let total = 0;
  for (let after: Place | null = null; ; ) {
    const page: Awaited<ReturnType<Store["listEndedRoots"]>> = await store.listEndedRoots({
      workflowId,
      after,
      limit: PAGE,
    });
    const removed = await sweepPage(page.items, border, parts);
    total += removed ?? 0;
    if (removed === null || page.next === null) return total;
    after = page.next;
  }
}

/** Removes ended executions that are to be kept no longer, a few at a time; returns how many that nobody called. */
export async function applyRetention(parts: RetentionParts, now: number): Promise<number> {
  let removed = 0;
  for (let after = 0; parts.isOpen(); ) {
    const workflows = await parts.store.listWorkflowIds({ after, limit: WORKFLOWS });
    for (const { id, accountId, number } of workflows) {
      const retention = await retentionOf(accountId, id, parts);
      removed += await sweepWorkflow(id, retention, parts, now);
      after = number;
    }
    if (workflows.length < WORKFLOWS) break;
  }
  return removed;
}

/** Applies retention from now on, every minute; a sweep that takes longer is not joined by a second one. */
export function keepRetention(parts: RetentionParts): { close(): void } {
  let isSweeping = false;
  const sweep = async () => {
    if (isSweeping) return;
    isSweeping = true;
    await applyRetention(parts, Date.now()).catch((error: unknown) => {
      if (parts.isOpen()) parts.report(error);
    });
    isSweeping = false;
  };
  const timer = setInterval(sweep, SWEEP_MS).unref();
  void sweep();
  return { close: () => clearInterval(timer) };
}
