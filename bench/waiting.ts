import { randomUUIDv7 } from "node:crypto";
import { join } from "node:path";
import { createSqliteStore } from "../src/store/sqlite/store.ts";

/** Executions per turn of the event loop, which share a commit. */
const BATCH = 1_000;
const NO_USAGE = { promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 0, cpuMs: 0 };

/** Puts `count` executions of a workflow into the store of a server that is not running: the nth waits for the event `bench` with `n` = its number. */
export async function addWaiting(dataDir: string, ref: string, count: number): Promise<void> {
  const store = await createSqliteStore({ file: join(dataDir, "weft.db"), durability: "relaxed" });
  const { id: accountId } = await store.ownerAccount();
  const workflow = await store.findWorkflow({ accountId, key: ref });
  if (workflow === null || workflow.activeVersionId === null) throw new Error(`${ref} is not deployed`);
  const { id: workflowId, activeVersionId: versionId } = workflow;
  const facts = {
    ref,
    workflowId,
    versionId,
    accountId,
    mode: "background",
    hasSecrets: false,
    requestId: "bench",
  } as const;
  const rest = {
    parentId: null,
    parentPos: null,
    depth: 0,
    priority: 0,
    timeoutMs: null,
    cacheKey: null,
    idempotencyKey: null,
    budget: null,
  };
  const add = async (n: number) => {
    const id = randomUUIDv7();
    const now = Date.now();
    const info = { ref_name: ref, version: null, depth: 0 };
    const ids = { session_id: id, request_id: "bench", workflow_info: info, accessories: [] };
    const data = JSON.stringify({ input: { n }, messages: [], params: {}, env: {}, metadata: {}, ...ids });
    const execution = { id, data, sessionId: id, seed: "00".repeat(32), createdAt: now, runAt: now, ...facts, ...rest };
    const lease = { executionId: id, fence: 1 };
    const wait = { kind: "event", pos: 0, name: "bench", match: { n }, until: null } as const;
    await Promise.all([
      store.startExecution({ execution, startedAt: now, worker: "bench", leaseMs: 60_000 }),
      store.openWait({ lease, wait, maxOpen: 1, now }),
      store.waitExecution({
        lease,
        until: null,
        sleeps: [],
        calls: null,
        shortage: null,
        usage: NO_USAGE,
        chunks: [],
        logs: [],
      }),
    ]);
  };
  for (let done = 0; done < count; done += BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, count - done) }, (_, n) => add(done + n)));
  }
  await store.close();
}
