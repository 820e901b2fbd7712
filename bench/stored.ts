import { randomUUID, randomUUIDv7 } from "node:crypto";
import { join } from "node:path";
import { createSqliteStore } from "../src/store/sqlite/store.ts";
import type { Store, Workflow } from "../src/store/store.ts";

/** Rows per turn of the event loop, which share a commit. */
const BATCH = 1_000;
const NO_USAGE = { promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 0, cpuMs: 0 };

async function withStore(dataDir: string, ref: string, work: (store: Store, workflow: Workflow) => Promise<void>) {
  const store = await createSqliteStore({ file: join(dataDir, "weft.db"), durability: "relaxed" });
  try {
    const { id: accountId } = await store.ownerAccount();
    const workflow = await store.findWorkflow({ accountId, key: ref });
    if (workflow === null) throw new Error(`${ref} is not deployed`);
    await work(store, workflow);
  } finally {
    await store.close();
  }
}

async function inBatches(count: number, add: (n: number) => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done += BATCH)
    await Promise.all(Array.from({ length: Math.min(BATCH, count - done) }, (_, n) => add(done + n)));
}

/** What executions of a workflow have in common. */
function executionOf({ id: workflowId, accountId, ref, activeVersionId: versionId }: Workflow) {
  if (versionId === null) throw new Error(`${ref} has no active version`);
  const facts = { ref, workflowId, accountId, versionId, mode: "sync", hasSecrets: false } as const;
  const rest = { parentId: null, parentPos: null, depth: 0, priority: 0, timeoutMs: null, budget: null } as const;
  return { ...facts, ...rest, seed: "00".repeat(32), cacheKey: null, idempotencyKey: null };
}

/** Puts `count` completed executions of a workflow into the store of a server that is not running. */
export function addCompleted(dataDir: string, ref: string, count: number): Promise<void> {
  return withStore(dataDir, ref, async (store, workflow) => {
    const facts = executionOf(workflow);
    const text = JSON.stringify({ input: { text: "hello" }, messages: [], params: {}, env: {}, metadata: {} });
    await inBatches(count, async () => {
      const [id, now] = [randomUUIDv7(), Date.now()];
      await store.recordExecution({
        execution: { ...facts, id, sessionId: id, requestId: id, data: text, createdAt: now, runAt: now },
        ...{ startedAt: now, finishedAt: now, worker: "bench", usage: NO_USAGE, chunks: [], logs: [] },
        ending: { status: "completed", output: '{"echo":{"text":"hello"}}', cached: false },
      });
    });
  });
}

/** Puts `count` more workflows with the same code into the store of a server that is not running. */
export function addWorkflows(dataDir: string, ref: string, count: number): Promise<void> {
  return withStore(dataDir, ref, async (store, workflow) => {
    const { accountId, activeVersionId: versionId } = workflow;
    const key = { accountId, versionId: versionId ?? "" };
    const [version, code] = [await store.findVersion(key), await store.versionCode(key)];
    if (version === null || code === null) throw new Error(`${ref} has no active version`);
    await inBatches(count, async () => {
      const [id, now] = [randomUUID(), Date.now()];
      await store.putWorkflow({ ...workflow, id, ref: `copy-${id}`, createdAt: now, now });
      await store.addVersion({ version: { ...version, id: randomUUID(), workflowId: id }, code, activate: true });
    });
  });
}

/** Puts `count` executions of a workflow into the store of a server that is not running: the nth waits for the event `bench` with `n` = its number. */
export function addWaiting(dataDir: string, ref: string, count: number): Promise<void> {
  return withStore(dataDir, ref, async (store, workflow) => {
    const facts = { ...executionOf(workflow), mode: "background", requestId: "bench" } as const;
    const nothing = { until: null, sleeps: [], calls: null, shortage: null, chunks: [], logs: [] } as const;
    await inBatches(count, async (n) => {
      const [id, now] = [randomUUIDv7(), Date.now()];
      const info = { ref_name: ref, version: null, depth: 0 };
      const ids = { session_id: id, request_id: "bench", workflow_info: info, accessories: [] };
      const data = JSON.stringify({ input: { n }, messages: [], params: {}, env: {}, metadata: {}, ...ids });
      const execution = { ...facts, id, sessionId: id, data, createdAt: now, runAt: now };
      const lease = { executionId: id, fence: 1 };
      const wait = { kind: "event", pos: 0, name: "bench", match: { n }, until: null } as const;
      await Promise.all([
        store.startExecution({ execution, startedAt: now, worker: "bench", leaseMs: 60_000 }),
        store.openWait({ lease, wait, maxOpen: 1, now }),
        store.waitExecution({ lease, usage: NO_USAGE, ...nothing }),
      ]);
    });
  });
}
