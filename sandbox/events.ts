import { install } from "./determinism.ts";
import { maybeCurrent } from "./execution.ts";
import { text } from "./primordials.ts";
import { clearTimer, setTimer } from "./timers.ts";

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
export class DOMException extends Error {
  readonly code: number;
  constructor(message = "", name = "Error") {
    super(text(message));
    this.code = DOM_CODES[name] ?? 0;
    Object.defineProperty(this, "name", { value: text(name), configurable: true });
  }
}

type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };
interface Registration {
  readonly listener: Listener;
  readonly once: boolean;
}

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
}

class CustomEvent extends Event {
  readonly detail: unknown;
  constructor(type: string, options: { cancelable?: boolean; detail?: unknown } = {}) {
    super(type, options);
    this.detail = options.detail ?? null;
  }
}

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
}

const abortHooks = new WeakMap<object, (reason: unknown) => void>();
const ALLOWED = Symbol("AbortSignal");

class AbortSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;
  onabort: ((event: Event) => void) | null = null;
  constructor(token?: unknown) {
    super();
    if (token !== ALLOWED) throw new TypeError("Illegal constructor");
    abortHooks.set(this, (reason) => {
      if (this.aborted) return;
      this.aborted = true;
      this.reason = reason ?? new DOMException("This operation was aborted", "AbortError");
      const event = new Event("abort");
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
    setTimer(() => abortHooks.get(signal)?.(new DOMException("The operation timed out", "TimeoutError")), ms, false);
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
}

class AbortController {
  readonly signal = new AbortSignal(ALLOWED);
  abort(reason?: unknown): void {
    abortHooks.get(this.signal)?.(reason);
  }
}

/** The signal of the current execution (ctx.signal): fires when the execution is cancelled or times out. */
export function executionSignal(): AbortSignal {
  const signal = new AbortSignal(ALLOWED);
  const execution = maybeCurrent();
  const fire = (reason: string) => abortHooks.get(signal)?.(new DOMException(reason, "AbortError"));
  if (execution !== null) {
    if (execution.aborted !== null) fire(execution.aborted);
    execution.onAbort = fire;
  }
  return signal;
}

/** Installs the event classes, AbortController and DOMException. */
export function installEvents(global: object): void {
  install(global, "DOMException", DOMException);
  install(global, "Event", Event);
  install(global, "CustomEvent", CustomEvent);
  install(global, "EventTarget", EventTarget);
  install(global, "AbortSignal", AbortSignal);
  install(global, "AbortController", AbortController);
  install(global, "setTimeout", (callback: unknown, ms?: unknown, ...args: unknown[]) =>
    timer(callback, ms, args, false),
  );
  install(global, "setInterval", (callback: unknown, ms?: unknown, ...args: unknown[]) =>
    timer(callback, ms, args, true),
  );
  install(global, "clearTimeout", (id: unknown) => clearTimer(id));
  install(global, "clearInterval", (id: unknown) => clearTimer(id));
}

function timer(callback: unknown, ms: unknown, args: unknown[], repeat: boolean): number {
  if (typeof callback !== "function") throw new TypeError("The timer's callback is not a function");
  return setTimer(() => callback(...args), Number(ms ?? 0), repeat);
}
