import { claim, execution, NO_OUTPUT, STOPPED, T0, USAGE, type World } from "../fixtures.ts";

/** Uses every statement of gates, retries and resumption. */
export async function passGates(world: World): Promise<void> {
  const { store, account, workflow } = world;
  const accountId = account.id;
  const gates = {
    slot: { key: "s", limit: 2 },
    rate: { key: "r", limit: 1, periodMs: 1_000 },
    debounce: { key: "d", delayMs: 1, maxWaitMs: 5 },
    isDirect: false,
  };
  for (const createdAt of [T0, T0, T0 + 9, T0 + 20])
    await store.enqueue({ execution: execution(workflow, { createdAt, runAt: createdAt }), gates });
  for (const priority of [0, 1])
    await store.enqueue({ execution: execution(workflow, { priority }), gates: { ...gates, debounce: null } });
  const [one] = await claim(world, { now: T0 + 30 });
  const lease = { executionId: one?.id ?? "", fence: one?.fence ?? 0 };
  const failed = { error: STOPPED, usage: USAGE, ...NO_OUTPUT };
  await store.retryExecution({ lease, until: T0 + 40, timeoutFrom: T0, ...failed });
  const [again] = await claim(world, { now: T0 + 9_000 });
  const last = { executionId: again?.id ?? "", fence: again?.fence ?? 0 };
  const ending = { status: "failed", error: STOPPED } as const;
  await store.completeExecution({ lease: last, ending, usage: USAGE, ...NO_OUTPUT, now: T0 });
  await store.resumeExecution({ accountId, executionId: last.executionId, gates, now: T0 });
  await store.countExecutions({ accountId, status: "queued" });
}
