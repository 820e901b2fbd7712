import { setTimeout as sleep } from "node:timers/promises";
import type { Execution, Shortage, Store } from "../store/store.ts";
import type { ExecutionResult } from "./engine.ts";
import { resultOf, toShort } from "./result.ts";

/** Waits between two looks at the store, ms: from the first to the longest. */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 1_000;

/** What following needs. */
export interface FollowOptions {
  readonly store: Pick<Store, "findExecution">;
  /** True when nobody wants to know any more. */
  isStopping(): boolean;
  /** Says what one lacks that waits for money, so that it is not waited for; absent: it is. */
  lacks?(execution: Execution): Shortage | null | Promise<Shortage | null>;
}

/** What a stored execution was short of when it parked; null when that is not money, or its time has come. */
export function shortageOf({ state }: Execution): Shortage | null {
  const shortage = state.status === "waiting" ? state.shortage : null;
  return shortage === null || (shortage.until !== null && shortage.until <= Date.now()) ? null : shortage;
}

/** The result of an execution that this process does not run, once it has ended; null when it is gone or following stopped. */
export async function followStored(
  accountId: string,
  executionId: string,
  { store, isStopping, lacks }: FollowOptions,
): Promise<ExecutionResult | null> {
  for (let wait = FIRST_LOOK_MS; !isStopping(); wait = Math.min(wait * 2, LAST_LOOK_MS)) {
    const execution = await store.findExecution({ accountId, executionId });
    if (execution === null) return null;
    const result = resultOf(execution, false);
    if (result !== null) return result;
    const shortage = (await lacks?.(execution)) ?? null;
    if (shortage !== null) return toShort(shortage, executionId);
    await sleep(wait);
  }
  return null;
}
