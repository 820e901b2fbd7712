import { install } from "./determinism.ts";
import { domException } from "./events.ts";
import { defineProperty } from "./primordials.ts";

type Seen = Map<object, unknown>;

function cloneBuffer(value: ArrayBuffer | ArrayBufferView, seen: Seen): unknown {
  if (!ArrayBuffer.isView(value)) return value.slice(0);
  const buffer = cloneValue(value.buffer, seen) as ArrayBuffer;
  const View = value.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => unknown;
  const length = "length" in value ? (value.length as number) : value.byteLength;
  return new View(buffer, value.byteOffset, length);
}

function cloneContainer(value: object, seen: Seen): unknown {
  if (value instanceof Map) {
    const out = new Map();
    seen.set(value, out);
    for (const [key, item] of value) out.set(cloneValue(key, seen), cloneValue(item, seen));
    return out;
  }
  if (value instanceof Set) {
    const out = new Set();
    seen.set(value, out);
    for (const item of value) out.add(cloneValue(item, seen));
    return out;
  }
  const out: Record<string, unknown> | unknown[] = Array.isArray(value) ? new Array(value.length) : {};
  seen.set(value, out);
  for (const key of Object.keys(value)) {
    const item = cloneValue((value as Record<string, unknown>)[key], seen);
    defineProperty(out, key, { value: item, writable: true, enumerable: true, configurable: true });
  }
  return out;
}

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function cloneError(value: Error): Error {
  const Type = ERRORS[value.name as keyof typeof ERRORS] ?? Error;
  const out = new Type(value.message);
  defineProperty(out, "stack", { value: value.stack, writable: true, configurable: true });
  return out;
}

function cloneObject(value: object, seen: Seen): unknown {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Error) return cloneError(value);
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    const out = cloneBuffer(value, seen);
    seen.set(value, out);
    return out;
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) {
    throw new (domException())("structuredClone: this kind of object cannot be cloned", "DataCloneError");
  }
  return cloneContainer(value, seen);
}

function cloneValue(value: unknown, seen: Seen): unknown {
  if (typeof value === "function" || typeof value === "symbol") {
    throw new (domException())(`structuredClone: a ${typeof value} cannot be cloned`, "DataCloneError");
  }
  if (typeof value !== "object" || value === null) return value;
  return seen.has(value) ? seen.get(value) : cloneObject(value, seen);
}

/** Installs structuredClone. */
export function installClone(global: object): void {
  install(global, "structuredClone", (value: unknown) => cloneValue(value, new Map()));
}
