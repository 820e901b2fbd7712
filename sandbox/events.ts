import { maybeCurrent } from "./execution.ts";
import { installLazy, once } from "./lazy.ts";
import {
  defineProperty,
  isArray,
  mapGet,
  mapSet,
  NativeError,
  NativeMap,
  NativeTypeError,
  NativeWeakMap,
  push,
  reflectApply,
  text,
  weakGet,
  weakSet,
} from "./primordials.ts";
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
    class DOMException extends NativeError {
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
      #listeners = new NativeMap<string, Registration[]>();
      addEventListener(type: string, listener: Listener | null, options: { once?: boolean } | boolean = {}): void {
        if (listener === null) return;
        const list = (mapGet(this.#listeners, type) ?? []) as Registration[];
        for (let i = 0; i < list.length; i++) if (list[i]?.listener === listener) return;
        push(list, { listener, once: typeof options === "object" && options.once === true });
        mapSet(this.#listeners, type, list);
      }
      removeEventListener(type: string, listener: Listener | null): void {
        const list = (mapGet(this.#listeners, type) ?? []) as Registration[];
        const kept: Registration[] = [];
        for (let i = 0; i < list.length; i++) if (list[i]?.listener !== listener) push(kept, list[i]);
        mapSet(this.#listeners, type, kept);
      }
      dispatchEvent(event: Event): boolean {
        event.target = this;
        event.currentTarget = this;
        const list = (mapGet(this.#listeners, event.type) ?? []) as Registration[];
        // Who listens from now on does not hear this one.
        const { length } = list;
        for (let i = 0; i < length; i++) {
          const entry = list[i] as Registration;
          if (entry.once) this.removeEventListener(event.type, entry.listener);
          if (typeof entry.listener === "function") reflectApply(entry.listener, this, [event]);
          else entry.listener.handleEvent(event);
          if (event.stopped) break;
        }
        return !event.defaultPrevented;
      }
    },
);

type AbortHook = (reason: unknown) => void;
const abortHooks = new NativeWeakMap<object, AbortHook>();
const hookOf = (signal: object) => weakGet(abortHooks, signal) as AbortHook | undefined;
const ALLOWED = Symbol("AbortSignal");

const abortSignal = once(
  () =>
    class AbortSignal extends eventTarget() {
      aborted = false;
      reason: unknown = undefined;
      onabort: ((event: Event) => void) | null = null;
      constructor(token?: unknown) {
        super();
        if (token !== ALLOWED) throw new NativeTypeError("Illegal constructor");
        weakSet(abortHooks, this, (reason: unknown) => {
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
        hookOf(signal)?.(reason);
        return signal;
      }
      static timeout(ms: number): AbortSignal {
        const signal = new AbortSignal(ALLOWED);
        setTimer(() => hookOf(signal)?.(new (domException())("The operation timed out", "TimeoutError")), ms, false);
        return signal;
      }
      static any(signals: Iterable<AbortSignal>): AbortSignal {
        const combined = new AbortSignal(ALLOWED);
        const list: AbortSignal[] = [];
        // What is no array has its own way of being read, which is the script's.
        const given: readonly AbortSignal[] | null = isArray(signals) ? signals : null;
        if (given === null) for (const signal of signals) push(list, signal);
        else for (let i = 0; i < given.length; i++) push(list, given[i]);
        for (let i = 0; i < list.length; i++) {
          const signal = list[i] as AbortSignal;
          if (signal.aborted) return AbortSignal.abort(signal.reason);
          signal.addEventListener("abort", () => hookOf(combined)?.(signal.reason), { once: true });
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
        hookOf(this.signal)?.(reason);
      }
    },
);

/** The signal of the current execution (ctx.signal): fires when the execution is cancelled or times out. */
export function executionSignal(): AbortSignal {
  const signal = new (abortSignal())(ALLOWED);
  const execution = maybeCurrent();
  const fire = (reason: string) => hookOf(signal)?.(new (domException())(reason, "AbortError"));
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
