import type { Execution, NewExecution, Store } from "../store/store.ts";
import { ChunkLog } from "./chunk-log.ts";
import type { ExecutionResult, Invocation } from "./engine.ts";
import { followStored, shortageOf } from "./follow-stored.ts";
import type { Call, LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { toFailed, toShort } from "./result.ts";
import { cancelled, stopRun } from "./stopping.ts";
import type { Target } from "./target.ts";
import { untilDurable } from "./until-durable.ts";

/** Chunks read from the store at a time. */
const PAGE = 500;

/** One caller's view of a running execution; several callers may share one, each with a wish of its own for when it leaves. */
export function toInvocation(run: LiveRun, parts: Parts, caller: Call = run.call): Invocation {
  const { execution, workflow, plan } = run.call;
  const { shortage, timesShort } = run;
  const isShort = shortage !== null && !parts.ledger.isOver(execution.accountId, shortage);
  const told = isShort && caller.execution.mode !== "background" ? toShort(shortage, run.id) : null;
  if (told === null) run.callers++;
  let gone = told !== null;
  return {
    executionId: run.id,
    workflow,
    version: plan.version,
    sessionId: execution.sessionId,
    requestId: execution.requestId,
    createdAt: execution.createdAt,
    mode: caller.execution.mode,
    get cache() {
      return run.cache;
    },
    debounced: false,
    onDisconnect: caller.onDisconnect,
    result: told === null ? run.result : Promise.resolve(told),
    subscribe: (listener, from) => run.log.subscribe(listener, from),
    async cancel() {
      // Those who were told that it waits for money are no longer counted.
      if (!gone && timesShort === run.timesShort) run.callers--;
      gone = true;
      // Whoever joined it still wants its result, and whoever asked for it in the background did not leave.
      if (execution.mode === "background") return;
      if (run.callers === 0 && run.shortage === null) stopRun(run, cancelled(), parts);
      if (run.callers <= 0 && run.shortage === null) await run.result;
    },
  };
}

async function loadChunks(executionId: string, log: ChunkLog, store: Store): Promise<void> {
  for (;;) {
    const chunks = await store.readChunks({ executionId, from: log.next, limit: PAGE });
    if (log.add(chunks).length === 0) return;
  }
}

async function followToEnd(
  execution: NewExecution,
  log: ChunkLog,
  tellsShort: boolean,
  parts: Parts,
): Promise<ExecutionResult> {
  const { accountId, id } = execution;
  const options = {
    store: parts.store,
    isStopping: () => !parts.isOpen(),
    ...(tellsShort ? { lacks: shortageOf } : {}),
  };
  const result = await followStored(accountId, id, options);
  await loadChunks(id, log, parts.store);
  const stored = result === null ? null : await parts.store.findExecution({ accountId, executionId: id });
  if (stored !== null) await untilDurable(stored, parts);
  if (result === null) return toFailed(cancelled());
  return result.status === "completed" ? { ...result, streamedText: log.sawText } : result;
}

/** What a view of a stored execution starts from. */
type Stored = NewExecution & Pick<Execution, "state">;

/** How its caller asked for it. */
type Asked = Target & Pick<Invocation, "mode" | "onDisconnect"> & { readonly debounced?: boolean };

async function stopAnywhere(execution: NewExecution, parts: Parts): Promise<void> {
  const { accountId, id: executionId } = execution;
  const run = parts.live.get(executionId);
  if (run !== null) stopRun(run, cancelled(), parts);
  else await parts.store.cancelExecution({ accountId, executionId, now: Date.now(), error: cancelled() });
}

/** One caller's view of an execution that is over already, that another process runs or that nobody waits for; it is followed from when its result is first asked for. */
export function toStoredInvocation(
  execution: Stored,
  { workflow, plan, mode, onDisconnect, debounced = false }: Asked,
  parts: Parts,
): Invocation {
  const { store, report } = parts;
  const { id: executionId, sessionId, requestId, createdAt, state, cacheKey } = execution;
  const log = new ChunkLog((from) => store.readChunks({ executionId, from, limit: PAGE }));
  let followed: Promise<ExecutionResult> | null = null;
  const follow = () => {
    followed ??= followToEnd(execution, log, mode !== "background", parts).catch((error: unknown) => {
      report(error);
      return toFailed(cancelled());
    });
    return followed;
  };
  const wasRun = cacheKey === null ? "bypass" : "miss";
  return {
    executionId,
    workflow,
    version: plan.version,
    sessionId,
    requestId,
    createdAt,
    mode,
    cache: state.status === "completed" && state.cached ? "hit" : wasRun,
    debounced,
    onDisconnect,
    get result() {
      return follow();
    },
    subscribe: (listener, from) => log.subscribe(listener, from),
    async cancel() {
      // Whoever asked for it in the background did not leave.
      if (execution.mode === "background") return;
      await stopAnywhere(execution, parts);
      await follow();
    },
  };
}
