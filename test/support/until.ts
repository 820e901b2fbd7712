import { inspect } from "node:util";

/** How long a test waits for one thing, ms: far more than the slowest machine needs, and less than a test's own limit. */
export const PATIENCE_MS = 20_000;
const LOOK_MS = 10;

type Found<T> = Exclude<T, null | false | undefined>;

const isFound = (value: unknown): boolean => value !== null && value !== false && value !== undefined;

const shown = (value: unknown): string => inspect(value, { depth: 4, breakLength: 120, maxStringLength: 500 });

/** Resolves to what `promise` does; rejects after a while with an error that says `what` did not come, and where it was waited for. */
export async function within<T>(
  promise: Promise<T>,
  what: () => string,
  patienceMs: number = PATIENCE_MS,
  caller: unknown = within,
): Promise<T> {
  const error = new Error();
  Error.captureStackTrace(error, caller as () => void);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    error.message = `waited ${patienceMs} ms for ${what()}`;
    error.stack = `Error: ${error.message}\n${(error.stack ?? "").split("\n").slice(1).join("\n")}`;
    reject(error);
  }, patienceMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks every few milliseconds; resolves to the first value that is `good`: by default, one that is not null, false or undefined. */
export async function until<T>(
  look: () => T | Promise<T>,
  good: (value: T) => boolean = isFound,
  patienceMs: number = PATIENCE_MS,
): Promise<Found<Awaited<T>>> {
  let last: T | undefined;
  let isOver = false;
  const looking = async (): Promise<T> => {
    for (;;) {
      last = await look();
      if (good(last) || isOver) return last;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };
  const what = () => {
    isOver = true;
    return `${good === isFound ? look : good}; last value: ${shown(last)}`;
  };
  return (await within(looking(), what, patienceMs, until)) as Found<Awaited<T>>;
}
