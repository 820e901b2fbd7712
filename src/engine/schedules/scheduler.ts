import type { Schedule, Store } from "../../store/store.ts";
import { nextSlot } from "./cron.ts";
import { type LookOptions, lookAt } from "./look.ts";

/** What the scheduler needs. */
export interface SchedulerOptions extends LookOptions {
  readonly store: LookOptions["store"] & Pick<Store, "dueSchedules" | "nextDueSchedule" | "schedulesAhead">;
}

/** Looks at schedules when they are due. */
export interface Scheduler {
  start(): void;
  /** Looks soon. */
  wake(): void;
  /** Deals with everything that is due now. */
  tick(): Promise<void>;
  /** Stops; resolves when nothing is under way. */
  stop(): Promise<void>;
}

/** Schedules looked at together. */
const BATCH = 100;
/** Longest sleep, ms: a clock that was set is noticed within it. */
const MAX_SLEEP_MS = 1_000;

/** Puts schedules that are ahead of the clock back to it; slots that were started are not started again. */
async function followClock({ store, now }: SchedulerOptions): Promise<void> {
  for (;;) {
    const at = now();
    const ahead = await store.schedulesAhead({ now: at, max: BATCH });
    const reset = (schedule: Schedule) => {
      const { id: scheduleId, revision, paused } = schedule;
      const nextAt = paused ? null : nextSlot(schedule, at);
      const position = { nextAt, dueAt: nextAt, queuedUntil: null, reachedAt: null };
      return store.advanceSchedule({ scheduleId, revision, ...position, skipped: 0, error: schedule.error });
    };
    await Promise.all(ahead.map(reset));
    if (ahead.length < BATCH) return;
  }
}

/** Makes the scheduler of one server; the store knows what is due, so any number of servers may share one. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { store, now, report } = options;
  let timer: NodeJS.Timeout | null = null;
  let busy: Promise<void> | null = null;
  let isOpen = false;

  const tick = async () => {
    await followClock(options);
    for (;;) {
      const due = await store.dueSchedules({ now: now(), max: BATCH });
      if (due.length === 0) return;
      await Promise.all(due.map((schedule) => lookAt(schedule, options)));
    }
  };

  const sleepMs = async () => {
    const next = await store.nextDueSchedule();
    return next === null ? MAX_SLEEP_MS : Math.min(MAX_SLEEP_MS, Math.max(1, next - now()));
  };

  const arm = (ms: number) => {
    if (timer !== null) clearTimeout(timer);
    timer = isOpen ? setTimeout(() => run(), ms).unref() : null;
  };

  const run = () => {
    if (busy !== null) return;
    const work = async () => {
      let ms = MAX_SLEEP_MS;
      try {
        await tick();
        ms = await sleepMs();
      } catch (error) {
        report(error);
      }
      busy = null;
      arm(ms);
    };
    busy = work();
  };

  return {
    start() {
      isOpen = true;
      arm(0);
    },
    wake: () => arm(0),
    tick,
    async stop() {
      isOpen = false;
      arm(0);
      await busy;
    },
  };
}
