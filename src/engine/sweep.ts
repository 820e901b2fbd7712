/** Items that are handled once they have waited between one and two periods; one timer for all of them. */
export interface Sweep<T> {
  add(item: T): void;
  remove(item: T): void;
  /** Handles everything that waits, now. */
  flush(): void;
  close(): void;
}

/** Makes a sweep: `handle` is called with an item `periodMs` to twice that after it was added, unless removed before. */
export function createSweep<T>(periodMs: number, handle: (item: T) => void): Sweep<T> {
  // Two generations: what was added just before a tick waits for the next one.
  let young = new Set<T>();
  let old = new Set<T>();
  let timer: NodeJS.Timeout | null = null;

  const tick = () => {
    timer = null;
    const due = old;
    old = young;
    young = new Set();
    for (const item of due) handle(item);
    arm();
  };
  const arm = () => {
    if (timer === null && young.size + old.size > 0) timer = setTimeout(tick, periodMs);
  };

  return {
    add(item) {
      if (!old.has(item)) young.add(item);
      arm();
    },
    remove(item) {
      if (!young.delete(item)) old.delete(item);
    },
    flush() {
      const due = [...old, ...young];
      old.clear();
      young.clear();
      for (const item of due) handle(item);
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      young.clear();
      old.clear();
    },
  };
}
