import { createContext, Script } from "node:vm";

const context: { work: (() => unknown) | null } = { work: null };
const script = new Script("work()", { filename: "time-box" });
const contextified = createContext(context);

/** Tells a time box that ran out from every other error. */
export const isOverTime = (thrown: unknown): boolean =>
  (thrown as { readonly code?: unknown } | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";

/**
 * Runs synchronous work that someone else's data may make endless (a regular expression, a comparison of all pairs) and
 * stops it after `timeoutMs`; see {@link isOverTime}. Not a wall: the work itself must be our own code.
 */
export function timeBox<T>(timeoutMs: number, work: () => T): T {
  let value: T | undefined;
  let done = false;
  context.work = () => {
    value = work();
    done = true;
  };
  try {
    script.runInContext(contextified, { timeout: timeoutMs });
  } finally {
    context.work = null;
  }
  if (!done) throw new Error("the time box ended without running its work");
  return value as T;
}
