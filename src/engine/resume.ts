import { fail } from "../../runtime/index.ts";
import type { Engine } from "./engine.ts";
import { gatesOf } from "./gates.ts";
import type { Parts } from "./parts.ts";
import type { Execution } from "./types.ts";

function refuse(why: string, { id }: Execution): Error {
  return fail("CONFLICT", { message: `The execution cannot be resumed: ${why}`, execution_id: id });
}

/** Makes the function that lets a failed execution go on from its failed op; EXECUTION_NOT_FOUND, CONFLICT. */
export function createResume(
  parts: Parts,
  find: (accountId: string, executionId: string) => Promise<Execution>,
): Engine["resume"] {
  const { store, planOf, claims } = parts;
  return async ({ accountId, executionId }) => {
    const execution = await find(accountId, executionId);
    const { state, parentId, hasSecrets, versionId } = execution;
    if (state.status !== "failed") throw refuse(`it is ${state.status}, not failed.`, execution);
    if (parentId !== null) throw refuse("it is nested; resume the one that called it.", execution);
    if (hasSecrets) throw refuse("its secrets, which are never stored, are gone; call it again.", execution);
    const version = await store.findVersion({ accountId, versionId });
    if (version === null) throw refuse("its version is gone.", execution);
    const gates = gatesOf({ ...execution, mode: "background", idempotencyKey: null }, planOf(version));
    const now = Date.now();
    const again = gates === null ? null : { ...gates, debounce: null };
    const resumed = await store.resumeExecution({ accountId, executionId, gates: again, now });
    if (resumed === null) throw refuse("someone else was faster.", execution);
    claims.wake();
  };
}
