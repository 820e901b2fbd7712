import { setImmediate } from "node:timers/promises";
import type { Schedule } from "../../store/store.ts";
import { nextSlot, slotsBefore } from "./cron.ts";

/** A slot that is later than this was missed, unless it waited for its turn, ms. */
const LATE_MS = 60_000;
/** Missed slots that are made up for at most; older ones are dropped. */
export const MAX_CATCH_UP = 1_000;
/** Slots found at a time: finding one takes about 0.3 ms. */
const PORTION = 20;

/** Where a schedule stands. */
export interface Position {
  readonly nextAt: number | null;
  readonly queuedUntil: number | null;
}

/** The oldest of the last {@link MAX_CATCH_UP} slots before `now`, not before `from`. */
async function oldestToCatchUp(schedule: Schedule, from: number, now: number): Promise<number> {
  let oldest = from;
  let before = now + 1;
  for (let found = 0; found < MAX_CATCH_UP; found += PORTION) {
    const slots = slotsBefore(schedule, before, Math.min(PORTION, MAX_CATCH_UP - found));
    const last = slots.at(-1);
    if (last === undefined || last <= from) return from;
    oldest = last;
    before = last;
    await setImmediate();
  }
  return oldest;
}

/** Late because nobody looked, not because it waits for its turn. */
function isMissed({ queuedUntil }: Schedule, slot: number, now: number): boolean {
  return slot < now - LATE_MS && (queuedUntil === null || slot > queuedUntil);
}

/**
 * Where a schedule whose next slot was missed goes on, by its catch-up policy: `skip` at the first slot that is not too
 * late, `one` at the last one missed, `all` at the oldest that is made up for. Null when nothing was missed.
 */
export async function afterMissed(schedule: Schedule, now: number): Promise<Position | null> {
  const { nextAt, catchUp } = schedule;
  if (nextAt === null || !isMissed(schedule, nextAt, now)) return null;
  const onTime = { nextAt: nextSlot(schedule, now - LATE_MS - 1), queuedUntil: null };
  if (catchUp === "all") return { nextAt: await oldestToCatchUp(schedule, nextAt, now), queuedUntil: now };
  const last = slotsBefore(schedule, now + 1, 1)[0];
  const isOnTime = last === undefined || last < nextAt || last >= now - LATE_MS;
  return catchUp === "skip" || isOnTime ? onTime : { nextAt: last, queuedUntil: now };
}
