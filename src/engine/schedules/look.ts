import { toRecord, toWorkflowError, type WorkflowError } from "../../../runtime/index.ts";
import type { Schedule, Store } from "../../store/store.ts";
import type { Engine } from "../engine.ts";
import { nextSlot } from "./cron.ts";
import { afterMissed } from "./due-slot.ts";
import { slotText, toScheduledCall } from "./scheduled-call.ts";

/** What looking at schedules needs. */
export interface LookOptions {
  readonly store: Pick<Store, "advanceSchedule" | "scheduledRun" | "unfinishedRuns">;
  readonly engine: Pick<Engine, "invoke" | "cancel">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

/** An earlier execution is looked at again after this, ms. */
const HOLD_MS = 1_000;
/** A slot that the server had no room for is tried again after this, ms. */
const RETRY_MS = 5_000;

type Advance = Parameters<Store["advanceSchedule"]>[0];

/** How a slot went: dealt with, not started because of the overlap policy, or to be tried again at `dueAt`. */
type Outcome =
  | { readonly status: "done"; readonly error: WorkflowError | null }
  | { readonly status: "skipped" }
  | { readonly status: "waits"; readonly dueAt: number; readonly error: WorkflowError | null };

const DONE: Outcome = { status: "done", error: null };

async function start(schedule: Schedule, at: number, { engine, now, report }: LookOptions): Promise<Outcome> {
  try {
    await engine.invoke(toScheduledCall(schedule, { at, manual: false }));
    return DONE;
  } catch (thrown) {
    const error = toWorkflowError(thrown);
    // Another server was faster, or this one before it died.
    if (error.code === "CONFLICT") return DONE;
    if (error.code === "INTERNAL") report(thrown);
    if (error.blame === "system" || error.retryable) return { status: "waits", dueAt: now() + RETRY_MS, error };
    return { status: "done", error };
  }
}

/** Slots that are made up for come one after another: skipping them would leave all but the first out again. */
function isMadeUp({ queuedUntil }: Schedule, at: number): boolean {
  return queuedUntil !== null && at <= queuedUntil;
}

async function settleSlot(schedule: Schedule, at: number, options: LookOptions): Promise<Outcome> {
  const { accountId, id: scheduleId, overlap } = schedule;
  const { store, engine, now } = options;
  const slot = slotText({ at, manual: false });
  if ((await store.scheduledRun({ accountId, scheduleId, slot })) !== null) return DONE;
  const earlier = overlap === "allow" ? [] : await store.unfinishedRuns({ accountId, scheduleId });
  if (earlier.length > 0) {
    if (overlap === "queue" || (overlap === "skip" && isMadeUp(schedule, at))) {
      return { status: "waits", dueAt: now() + HOLD_MS, error: null };
    }
    if (overlap === "skip") return { status: "skipped" };
    await Promise.all(earlier.map((executionId) => engine.cancel({ accountId, executionId })));
  }
  return start(schedule, at, options);
}

function toAdvance(schedule: Schedule, at: number, outcome: Outcome, now: number): Advance {
  const { id: scheduleId, revision, queuedUntil, overlap } = schedule;
  const shared = { scheduleId, revision, skipped: outcome.status === "skipped" ? 1 : 0 };
  const error = "error" in outcome && outcome.error !== null ? toRecord(outcome.error) : null;
  if (outcome.status === "waits") {
    // Where slots queue, what came due meanwhile waits, too.
    const waitsUntil = Math.max(queuedUntil ?? at, overlap === "queue" ? now : at);
    return { ...shared, nextAt: at, dueAt: outcome.dueAt, queuedUntil: waitsUntil, reachedAt: null, error };
  }
  const nextAt = nextSlot(schedule, at);
  const stillQueued = queuedUntil !== null && nextAt !== null && nextAt <= queuedUntil;
  return { ...shared, nextAt, dueAt: nextAt, queuedUntil: stillQueued ? queuedUntil : null, reachedAt: at, error };
}

/** Deals with the next slot of a schedule that is due; false when someone else changed the schedule meanwhile. */
export async function lookAt(schedule: Schedule, options: LookOptions): Promise<boolean> {
  const { store, now } = options;
  const { id: scheduleId, revision, nextAt: at } = schedule;
  const shared = { scheduleId, revision, skipped: 0, error: null };
  if (at === null) {
    return store.advanceSchedule({ ...shared, nextAt: null, dueAt: null, queuedUntil: null, reachedAt: null });
  }
  const position = await afterMissed(schedule, now());
  if (position !== null) {
    return store.advanceSchedule({ ...shared, ...position, dueAt: position.nextAt, reachedAt: null });
  }
  const outcome = await settleSlot(schedule, at, options);
  return store.advanceSchedule(toAdvance(schedule, at, outcome, now()));
}
