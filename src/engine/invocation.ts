import type { Execution, Store } from "../store/store.ts";
import { ChunkLog } from "./chunk-log.ts";
import type { ExecutionResult, Invocation } from "./engine.ts";
import { followStored } from "./follow-stored.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { toFailed } from "./result.ts";
import { cancelled, stopRun } from "./stopping.ts";
import type { Target } from "./target.ts";

/** Chunks read from the store at a time. */
const PAGE = 500;

/** One caller's view of a running execution; several callers may share one, each with a wish of its own for when it leaves. */
export function toInvocation(
  run: LiveRun,
  parts: Parts,
  onDisconnect: Invocation["onDisconnect"] = run.call.onDisconnect,
): Invocation {
  const { execution, workflow, plan } = run.call;
  run.callers++;
  let gone = false;
  return {
    executionId: run.id,
    workflow,
    version: plan.version,
    sessionId: execution.sessionId,
    requestId: execution.requestId,
    createdAt: execution.createdAt,
    get cache() {
      return run.cache;
    },
    onDisconnect,
    result: run.result,
    subscribe: (listener, from) => run.log.subscribe(listener, from),
    async cancel() {
      if (!gone) run.callers--;
      gone = true;
      // Whoever joined it still wants its result.
      if (run.callers === 0) stopRun(run, cancelled(), parts);
      if (run.callers <= 0) await run.result;
    },
  };
}

async function loadChunks(executionId: string, log: ChunkLog, store: Store): Promise<void> {
  for (;;) {
    const chunks = await store.readChunks({ executionId, from: log.next, limit: PAGE });
    if (log.add(chunks).length === 0) return;
  }
}

async function followToEnd(execution: Execution, log: ChunkLog, parts: Parts): Promise<ExecutionResult> {
  const { accountId, id } = execution;
  const result = await followStored(accountId, id, { store: parts.store, isStopping: () => !parts.isOpen() });
  await loadChunks(id, log, parts.store);
  if (result === null) return toFailed(cancelled());
  return result.status === "completed" ? { ...result, streamedText: log.sawText } : result;
}

/** One caller's view of an execution that is over already or that another process runs. */
export function toStoredInvocation(execution: Execution, { workflow, plan }: Target, parts: Parts): Invocation {
  const { store, report } = parts;
  const { accountId, id: executionId, sessionId, requestId, createdAt, state } = execution;
  const log = new ChunkLog((from) => store.readChunks({ executionId, from, limit: PAGE }));
  const result = followToEnd(execution, log, parts).catch((error: unknown) => {
    report(error);
    return toFailed(cancelled());
  });
  return {
    executionId,
    workflow,
    version: plan.version,
    sessionId,
    requestId,
    createdAt,
    cache: state.status === "completed" && state.cached ? "hit" : "miss",
    onDisconnect: plan.config.onDisconnect,
    result,
    subscribe: (listener, from) => log.subscribe(listener, from),
    async cancel() {
      await store.cancelExecution({ accountId, executionId, now: Date.now(), error: cancelled() });
      await result;
    },
  };
}
