import { type ErrorRecord, fail, toRecord } from "../../runtime/index.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { resultOf, toFailed } from "./result.ts";

/** A worker that was not yet told of the execution misses a request to stop it: it is repeated this often, ms. */
const REPEAT_MS = 250;

/** The error of an execution that someone stopped. */
export const cancelled = (): ErrorRecord => toRecord(fail("EXECUTION_CANCELLED"));

/** The error of an execution whose workflow was deleted. */
export const deleted = (): ErrorRecord =>
  toRecord(fail("EXECUTION_CANCELLED", { message: "The execution was deleted." }));

/** The error of an execution that took too long, naming its limit. */
export function timeoutError(run: LiveRun): ErrorRecord {
  const { timeoutMs } = run.call.execution;
  const message = `The execution ran longer than its timeout of ${timeoutMs} ms.`;
  return toRecord(fail("EXECUTION_TIMEOUT", { message, limit: "timeoutMs", value: timeoutMs }));
}

function stopRunning(run: LiveRun, error: ErrorRecord, { runtime }: Pick<Parts, "runtime">): void {
  if (run.stopping !== null) return;
  run.stopping = error;
  runtime.cancel(run.id, error);
  const again = setInterval(() => {
    if (run.phase === "running" && !run.detached) runtime.cancel(run.id, error);
    else clearInterval(again);
  }, REPEAT_MS);
}

async function stopStored(run: LiveRun, error: ErrorRecord, parts: Parts): Promise<void> {
  const { store, live } = parts;
  const { accountId, id: executionId } = run.call.execution;
  // Should it be claimed at this very moment, its runner sees this before it begins.
  run.stopping = error;
  await store.cancelExecution({ accountId, executionId, now: Date.now(), error });
  if (run.isGated) parts.claims.wake();
  if (run.phase === "running") return;
  const stored = await store.findExecution({ accountId, executionId });
  const result = stored === null ? toFailed(deleted()) : resultOf(stored, run.log.sawText);
  // Someone claimed it: the runner ends it.
  if (result === null) return;
  live.remove(run);
  for (const child of run.children) stopRun(child, cancelled(), parts);
  if (run.resumed) await stopWaitingChildren(accountId, executionId, parts);
  await run.settle(result);
}

/** Children ended at a time. */
const CHILDREN = 100;

/**
 * Ends what an earlier process left waiting below an execution that is over, perhaps for ever: nobody wants its result.
 * Queued and due ones need no help: whoever claims them sees that their parent is over.
 */
export async function stopWaitingChildren(accountId: string, parentId: string, parts: Parts): Promise<void> {
  const params = { accountId, parentId, error: cancelled(), max: CHILDREN };
  for (let ended: readonly string[] = [""]; ended.length > 0; ) {
    ended = await parts.store.cancelWaitingChildren({ ...params, now: Date.now() });
    for (const id of ended) {
      const run = parts.live.get(id);
      // It waits in memory, too: whoever asks for its result there must be told.
      if (run !== null) stopRun(run, cancelled(), parts);
      await stopWaitingChildren(accountId, id, parts);
    }
  }
}

/** Ends an execution with `error`, whatever it is doing; it is over when its result settles. */
export function stopRun(run: LiveRun, error: ErrorRecord, parts: Parts): void {
  switch (run.phase) {
    case "new":
      run.giveUp?.(error);
      break;
    case "queued":
    case "parked":
      stopStored(run, error, parts).catch(parts.report);
      break;
    case "running":
      stopRunning(run, error, parts);
      break;
    case "over":
      break;
  }
}
