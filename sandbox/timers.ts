import { install } from "./determinism.ts";
import { current, dropOp, type GuestExecution, postOp } from "./execution.ts";
import {
  keys,
  mapDelete,
  mapGet,
  mapSet,
  max,
  min,
  NativeMap,
  NativeTypeError,
  NativeWeakMap,
  reflectApply,
  resolved,
  stringify,
  then,
  toNumber,
  weakGet,
  weakSet,
} from "./primordials.ts";

const MAX_DELAY_MS = 2_147_483_647;

interface TimerTable {
  next: number;
  /** Timer id → op position of its pending wait. */
  readonly waits: Map<number, number>;
}

const tables = new NativeWeakMap<GuestExecution, TimerTable>();

function tableOf(execution: GuestExecution): TimerTable {
  let table = weakGet(tables, execution) as TimerTable | undefined;
  if (table === undefined) {
    table = { next: 1, waits: new NativeMap() };
    weakSet(tables, execution, table);
  }
  return table;
}

/** Calls `callback` after `ms` (again and again when `repeat`), in a turn of this execution; returns the timer's id. */
export function setTimer(callback: () => void, ms: number, repeat: boolean): number {
  const execution = current();
  const table = tableOf(execution);
  const id = table.next++;
  const delay = ms >= 0 ? min(ms, MAX_DELAY_MS) : 0;
  const wait = () => {
    const pos = postOp("timer", stringify({ ms: repeat ? max(delay, 1) : delay }), {
      part: () => undefined,
      settle() {
        mapDelete(table.waits, id);
        if (repeat) wait();
        callback();
      },
    });
    mapSet(table.waits, id, pos);
  };
  wait();
  return id;
}

/** Stops a timer; unknown ids are ignored. */
export function clearTimer(id: unknown): void {
  const execution = current();
  const table = tableOf(execution);
  const pos = mapGet(table.waits, id) as number | undefined;
  if (pos === undefined) return;
  mapDelete(table.waits, id);
  dropOp(execution, pos);
}

function timer(callback: unknown, ms: unknown, args: unknown[], repeat: boolean): number {
  if (typeof callback !== "function") throw new NativeTypeError("The timer's callback is not a function");
  return setTimer(() => reflectApply(callback, undefined, args), toNumber(ms ?? 0), repeat);
}

const globals = {
  setTimeout: (callback: unknown, ms?: unknown, ...args: unknown[]) => timer(callback, ms, args, false),
  setInterval: (callback: unknown, ms?: unknown, ...args: unknown[]) => timer(callback, ms, args, true),
  clearTimeout: (id: unknown) => clearTimer(id),
  clearInterval: (id: unknown) => clearTimer(id),
  queueMicrotask(callback: unknown) {
    if (typeof callback !== "function") throw new NativeTypeError("queueMicrotask: the callback is not a function");
    then(resolved(undefined), () => callback());
  },
};

/** Installs the timers and queueMicrotask. */
export function installTimers(global: object): void {
  const names = keys(globals);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as keyof typeof globals;
    install(global, name, globals[name]);
  }
}
