import { fail, WorkflowError } from "../errors.ts";

/** A signal that follows another one and also fires at a time limit. */
export interface Deadline {
  /** Its reason is always a WorkflowError. */
  readonly signal: AbortSignal;
  /** Milliseconds left. */
  remainingMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number): Promise<void>;
  /** Frees timer and listener; must always be called. */
  clear(): void;
}

/** The error an aborted signal stands for. */
export function abortError(signal: AbortSignal): WorkflowError {
  return signal.reason instanceof WorkflowError ? signal.reason : fail("EXECUTION_CANCELLED", {}, signal.reason);
}

/** Starts a deadline of `timeoutMs`; `onTimeout` makes the error it ends with. */
export function startDeadline(outer: AbortSignal, timeoutMs: number, onTimeout: () => WorkflowError): Deadline {
  const controller = new AbortController();
  const endsAt = performance.now() + timeoutMs;
  const timer = setTimeout(() => controller.abort(onTimeout()), timeoutMs);
  const follow = () => controller.abort(abortError(outer));
  if (outer.aborted) follow();
  else outer.addEventListener("abort", follow, { once: true });
  const { signal } = controller;
  return {
    signal,
    remainingMs: () => endsAt - performance.now(),
    sleep: (ms) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(abortError(signal));
          return;
        }
        const stop = () => {
          clearTimeout(wake);
          reject(abortError(signal));
        };
        const wake = setTimeout(() => {
          signal.removeEventListener("abort", stop);
          resolve();
        }, ms);
        signal.addEventListener("abort", stop, { once: true });
      }),
    clear() {
      clearTimeout(timer);
      outer.removeEventListener("abort", follow);
    },
  };
}
