import type { Slots } from "./slots.ts";
import type { TurnScheduler } from "./turns.ts";

/** Collects the garbage of isolates that nobody is in, one at a time, while the process has nothing else to do. */
export interface Collector {
  /** Goes on as long as there is such an isolate. */
  look(): void;
}

const COLLECT_MS = 5_000;

/** Creates the collector of a process. */
export function createCollector(slots: Slots, scheduler: TurnScheduler): Collector {
  let isBusy = false;

  const collect = () => {
    const slot = slots.takeUncollected();
    if (slot === null) return;
    isBusy = true;
    scheduler.add(slot.lane, {
      run: 0,
      turnMs: COLLECT_MS,
      budgetMs: () => COLLECT_MS,
      start: (timeoutMs) => slot.lane.box.collect(timeoutMs),
      ended(end) {
        isBusy = false;
        if (end.status !== "ok" && slot.runs.size === 0 && !slot.closed) slots.close(slot);
        setImmediate(look);
      },
    });
  };
  const look = () => {
    if (!isBusy && scheduler.busy() === 0) collect();
  };
  return { look };
}
