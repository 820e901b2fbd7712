import { maybeCurrent } from "./execution.ts";
import { installLazy, once } from "./lazy.ts";
import { defineProperty, text } from "./primordials.ts";
import { setTimer } from "./timers.ts";

const DOM_CODES: Readonly<Record<string, number>> = {
  InvalidCharacterError: 5,
  NotSupportedError: 9,
  InvalidStateError: 11,
  SyntaxError: 12,
  NetworkError: 19,
  AbortError: 20,
  TimeoutError: 23,
  DataCloneError: 25,
};

/** The error class of the web platform. */
export const domException = once(
  () =>
    class DOMException extends Error {
      readonly code: number;
      constructor(message = "", name = "Error") {
        super(text(message));
        this.code = DOM_CODES[name] ?? 0;
        defineProperty(this, "name", { value: text(name), configurable: true });
      }
    },
);

type Event = InstanceType<ReturnType<typeof eventClass>>;
type AbortSignal = InstanceType<ReturnType<typeof abortSignal>>;
type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };
interface Registration {
  readonly listener: Listener;
  readonly once: boolean;
}

const eventClass = once(
  () =>
    class Event {
      readonly type: string;
      readonly bubbles = false;
      readonly cancelable: boolean;
      target: unknown = null;
      currentTarget: unknown = null;
      defaultPrevented = false;
      stopped = false;
      constructor(type: string, options: { cancelable?: boolean } = {}) {
        this.type = text(type);
        this.cancelable = options.cancelable === true;
      }
      preventDefault(): void {
        if (this.cancelable) this.defaultPrevented = true;
      }
      stopPropagation(): void {}
      stopImmediatePropagation(): void {
        this.stopped = true;
      }
    },
);

const customEvent = once(
  () =>
    class CustomEvent extends eventClass() {
      readonly detail: unknown;
      constructor(type: string, options: { cancelable?: boolean; detail?: unknown } = {}) {
        super(type, options);
        this.detail = options.detail ?? null;
      }
    },
);

const eventTarget = once(
  () =>
    class EventTarget {
      #listeners = new Map<string, Registration[]>();
      addEventListener(type: string, listener: Listener | null, options: { once?: boolean } | boolean = {}): void {
        if (listener === null) return;
        const list = this.#listeners.get(type) ?? [];
        if (list.some((entry) => entry.listener === listener)) return;
        list.push({ listener, once: typeof options === "object" && options.once === true });
        this.#listeners.set(type, list);
      }
      removeEventListener(type: string, listener: Listener | null): void {
        const list = this.#listeners.get(type) ?? [];
        this.#listeners.set(
          type,
          list.filter((entry) => entry.listener !== listener),
        );
      }
      dispatchEvent(event: Event): boolean {
        event.target = this;
        event.currentTarget = this;
        for (const entry of [...(this.#listeners.get(event.type) ?? [])]) {
          if (entry.once) this.removeEventListener(event.type, entry.listener);
          if (typeof entry.listener === "function") entry.listener.call(this, event);
          else entry.listener.handleEvent(event);
          if (event.stopped) break;
        }
        return !event.defaultPrevented;
      }
    },
);

const abortHooks = new WeakMap<object, (reason: unknown) => void>();
const ALLOWED = Symbol("AbortSignal");

const abortSignal = once(
  () =>
    class AbortSignal extends eventTarget() {
      aborted = false;
      reason: unknown = undefined;
      onabort: ((event: Event) => void) | null = null;
      constructor(token?: unknown) {
        super();
        if (token !== ALLOWED) throw new TypeError("Illegal constructor");
        abortHooks.set(this, (reason) => {
          if (this.aborted) return;
          this.aborted = true;
          this.reason = reason ?? new (domException())("This operation was aborted", "AbortError");
          const event = new (eventClass())("abort");
          this.onabort?.(event);
          this.dispatchEvent(event);
        });
      }
      throwIfAborted(): void {
        if (this.aborted) throw this.reason;
      }
      static abort(reason?: unknown): AbortSignal {
        const signal = new AbortSignal(ALLOWED);
        abortHooks.get(signal)?.(reason);
        return signal;
      }
      static timeout(ms: number): AbortSignal {
        const signal = new AbortSignal(ALLOWED);
        setTimer(
          () => abortHooks.get(signal)?.(new (domException())("The operation timed out", "TimeoutError")),
          ms,
          false,
        );
        return signal;
      }
      static any(signals: Iterable<AbortSignal>): AbortSignal {
        const combined = new AbortSignal(ALLOWED);
        for (const signal of signals) {
          if (signal.aborted) return AbortSignal.abort(signal.reason);
          signal.addEventListener("abort", () => abortHooks.get(combined)?.(signal.reason), { once: true });
        }
        return combined;
      }
    },
);

const abortController = once(
  () =>
    class AbortController {
      readonly signal = new (abortSignal())(ALLOWED);
      abort(reason?: unknown): void {
        abortHooks.get(this.signal)?.(reason);
      }
    },
);

/** The signal of the current execution (ctx.signal): fires when the execution is cancelled or times out. */
export function executionSignal(): AbortSignal {
  const signal = new (abortSignal())(ALLOWED);
  const execution = maybeCurrent();
  const fire = (reason: string) => abortHooks.get(signal)?.(new (domException())(reason, "AbortError"));
  if (execution !== null) {
    if (execution.aborted !== null) fire(execution.aborted);
    execution.onAbort = fire;
  }
  return signal;
}

/** Installs the event classes, AbortController and DOMException. */
export function installEvents(global: object): void {
  installLazy(global, "DOMException", domException);
  installLazy(global, "Event", eventClass);
  installLazy(global, "CustomEvent", customEvent);
  installLazy(global, "EventTarget", eventTarget);
  installLazy(global, "AbortSignal", abortSignal);
  installLazy(global, "AbortController", abortController);
}
