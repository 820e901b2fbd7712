import { createContext, Script } from "node:vm";

const context: { work: (() => unknown) | null } = { work: null };
const script = new Script("work()", { filename: "time-box" });
const contextified = createContext(context);

/** Tells a time box that ran out from every other error. */
export const isOverTime = (thrown: unknown): boolean =>
  (thrown as { readonly code?: unknown } | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";

/** A box whose thread had less than this share of its time on a processor says nothing about the work. */
const FAIR_SHARE = 0.5;
const MAX_TRIES = 5;

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Runs the box; true when it ran out although the machine was busy with other things most of the while. */
function wasStarved(timeoutMs: number, last: boolean): boolean {
  const before = cpuMs();
  try {
    script.runInContext(contextified, { timeout: timeoutMs });
    return false;
  } catch (error) {
    if (last || !isOverTime(error) || cpuMs() - before > timeoutMs * FAIR_SHARE) throw error;
    return true;
  }
}

/**
 * Runs synchronous work that someone else's data may make endless (a regular expression, a comparison of all pairs) and
 * stops it after `timeoutMs`; see {@link isOverTime}. On a busy machine it may run anew, a few times. Not a wall: the
 * work itself must be our own code.
 */
export function timeBox<T>(timeoutMs: number, work: () => T): T {
  let value: T | undefined;
  let done = false;
  context.work = () => {
    value = work();
    done = true;
  };
  try {
    for (let tries = 1; wasStarved(timeoutMs, tries === MAX_TRIES); tries++);
  } finally {
    context.work = null;
  }
  if (!done) throw new Error("the time box ended without running its work");
  return value as T;
}
