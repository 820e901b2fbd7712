import { type ErrorRecord, fail } from "../../runtime/index.ts";
import { followStored } from "./follow-stored.ts";
import type { Parts } from "./parts.ts";
import { resultOf } from "./result.ts";
import { cancelled, stopRun, stopWaitingChildren } from "./stopping.ts";
import type { Execution } from "./types.ts";

interface Target {
  readonly accountId: string;
  readonly executionId: string;
}

/** Finds an execution of an account; EXECUTION_NOT_FOUND. */
type Find = (accountId: string, executionId: string) => Promise<Execution>;

/** Stops a run, whatever it is doing; resolves once it has ended, or at once when it ended before. */
export async function cancelRun(
  { accountId, executionId }: Target,
  find: Find,
  parts: Parts,
  error: ErrorRecord = cancelled(),
): Promise<void> {
  const run = parts.live.get(executionId);
  if (run !== null && run.call.execution.accountId === accountId) {
    stopRun(run, error, parts);
    await run.result;
    return;
  }
  const { isGated } = await find(accountId, executionId);
  await parts.store.cancelExecution({ accountId, executionId, now: Date.now(), error });
  if (isGated) parts.claims.wake();
  await stopWaitingChildren(accountId, executionId, parts);
}

/** Its caller may still ask for what it recorded. */
async function checkCaller({ accountId, parentId, id }: Execution, { store }: Parts): Promise<void> {
  if (parentId === null) return;
  const parent = await store.findExecution({ accountId, executionId: parentId });
  if (parent === null || resultOf(parent, false) !== null) return;
  const message = "The run was called by one that has not ended; cancel or remove that one.";
  throw fail("CONFLICT", { message, id, parent_id: parentId });
}

/** Removes a run and everything that belongs to it. */
export async function removeRun(target: Target, find: Find, parts: Parts): Promise<void> {
  const { accountId, executionId } = target;
  const { store, cache, bells, isOpen } = parts;
  await checkCaller(await find(accountId, executionId), parts);
  await cancelRun(target, find, parts);
  // One that was just claimed ends a moment later.
  await followStored(accountId, executionId, { store, isStopping: () => !isOpen() });
  const keys = await store.removeExecution({ accountId, executionId, results: true });
  if (keys === null) throw fail("EXECUTION_NOT_FOUND", { id: executionId });
  cache.forget(keys);
  bells.ring(executionId);
}
