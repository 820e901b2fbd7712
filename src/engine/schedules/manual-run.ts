import { type CtxData, toWorkflowError } from "../../../runtime/index.ts";
import type { Schedule, Store } from "../../store/store.ts";
import type { Engine } from "../engine.ts";
import { keyConflict } from "../idempotency.ts";
import { slotText, toScheduledCall } from "./scheduled-call.ts";

/** What a run that someone asks for needs. */
export interface ManualRunOptions {
  readonly store: Pick<Store, "tieToSchedule">;
  readonly engine: Pick<Engine, "invoke" | "findKeyed">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface About {
  readonly id?: unknown;
  readonly scheduled_at?: unknown;
  readonly manual?: unknown;
}

/** Ties an execution, whose key is its caller's own, to its schedule; again and again, since a crash may have come between. */
async function tie(schedule: Schedule, executionId: string, at: number, store: ManualRunOptions["store"]) {
  const { accountId, id: scheduleId } = schedule;
  const slot = `${slotText({ at, manual: false })} manual ${executionId}`;
  await store.tieToSchedule({ accountId, scheduleId, slot, executionId });
}

/** The run of the schedule that a key stands for, or null when the key is new or too old; CONFLICT when it was used for anything else. */
async function joinKeyed(
  schedule: Schedule,
  idempotencyKey: string,
  options: ManualRunOptions,
): Promise<string | null> {
  const known = await options.engine.findKeyed({ accountId: schedule.accountId, idempotencyKey });
  if (known === null) return null;
  const about = (JSON.parse(known.data) as CtxData).metadata["schedule"] as About | null | undefined;
  const at = Date.parse(String(about?.scheduled_at));
  if (about?.id !== schedule.id || about.manual !== true || Number.isNaN(at))
    throw keyConflict(idempotencyKey, known.id);
  await tie(schedule, known.id, at, options.store);
  return known.id;
}

/** Starts an execution beside the slots of its schedule, once per idempotency key; returns its id. */
export async function runManually(
  schedule: Schedule,
  idempotencyKey: string | null,
  options: ManualRunOptions,
): Promise<string> {
  const { store, engine, now } = options;
  const at = now();
  if (idempotencyKey === null)
    return (await engine.invoke(toScheduledCall(schedule, { at, manual: true }))).executionId;
  const joined = await joinKeyed(schedule, idempotencyKey, options);
  if (joined !== null) return joined;
  try {
    const { executionId } = await engine.invoke(toScheduledCall(schedule, { at, manual: true, idempotencyKey }));
    await tie(schedule, executionId, at, store);
    return executionId;
  } catch (thrown) {
    // Someone with the same key was faster.
    const isTaken = toWorkflowError(thrown).code === "CONFLICT";
    const first = isTaken ? await joinKeyed(schedule, idempotencyKey, options) : null;
    if (first === null) throw thrown;
    return first;
  }
}
