import { install } from "./determinism.ts";
import { domException } from "./events.ts";
import {
  create,
  defineProperty,
  flagsOf,
  isArray,
  isView,
  keys,
  mapEach,
  mapGet,
  mapHas,
  mapSet,
  NativeArray,
  NativeArrayBuffer,
  NativeDate,
  NativeError,
  NativeMap,
  NativePromise,
  NativeRegExp,
  NativeSet,
  NativeWeakMap,
  placeOf,
  setAdd,
  setEach,
  sliceBuffer,
  sourceOf,
  timeOf,
  typedName,
} from "./primordials.ts";

const NativeWeakSet = WeakSet;

type Seen = Map<object, unknown>;

function cloneBuffer(value: ArrayBuffer | ArrayBufferView, seen: Seen): unknown {
  if (!isView(value)) return sliceBuffer(value, 0);
  const { buffer, offset, bytes } = placeOf(value);
  const View = VIEWS[typedName(value) ?? "DataView"] as ViewClass;
  return new View(cloneValue(buffer, seen) as ArrayBuffer, offset, bytes / (View.BYTES_PER_ELEMENT ?? 1));
}

function cloneContainer(value: object, seen: Seen): unknown {
  if (value instanceof NativeMap) {
    const out = new NativeMap();
    mapSet(seen, value, out);
    mapEach(value, (item: unknown, key: unknown) => mapSet(out, cloneValue(key, seen), cloneValue(item, seen)));
    return out;
  }
  if (value instanceof NativeSet) {
    const out = new NativeSet();
    mapSet(seen, value, out);
    setEach(value, (item: unknown) => setAdd(out, cloneValue(item, seen)));
    return out;
  }
  const out: Record<string, unknown> | unknown[] = isArray(value) ? new NativeArray((value as unknown[]).length) : {};
  mapSet(seen, value, out);
  const names = keys(value);
  for (let i = 0; i < names.length; i++) {
    const key = names[i] as string;
    const item = cloneValue((value as Record<string, unknown>)[key], seen);
    defineProperty(out, key, { value: item, writable: true, enumerable: true, configurable: true });
  }
  return out;
}

type ViewClass = (new (
  buffer: ArrayBuffer,
  offset: number,
  length: number,
) => unknown) & {
  readonly BYTES_PER_ELEMENT?: number;
};
const VIEWS = create(null) as Record<string, ViewClass>;
for (const View of [
  ...[DataView, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[Float16Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array],
]) {
  VIEWS[View.name] = View as ViewClass;
}

const ERRORS = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function cloneError(value: Error): Error {
  const Type = ERRORS[value.name as keyof typeof ERRORS] ?? NativeError;
  const out = new Type(value.message);
  defineProperty(out, "stack", { value: value.stack, writable: true, configurable: true });
  return out;
}

function cloneObject(value: object, seen: Seen): unknown {
  if (value instanceof NativeDate) return new NativeDate(timeOf(value));
  if (value instanceof NativeRegExp) return new NativeRegExp(sourceOf(value), flagsOf(value));
  if (value instanceof NativeError) return cloneError(value);
  if (value instanceof NativeArrayBuffer || isView(value)) {
    const out = cloneBuffer(value, seen);
    mapSet(seen, value, out);
    return out;
  }
  if (value instanceof NativePromise || value instanceof NativeWeakMap || value instanceof NativeWeakSet) {
    throw new (domException())("structuredClone: this kind of object cannot be cloned", "DataCloneError");
  }
  return cloneContainer(value, seen);
}

function cloneValue(value: unknown, seen: Seen): unknown {
  if (typeof value === "function" || typeof value === "symbol") {
    throw new (domException())(`structuredClone: a ${typeof value} cannot be cloned`, "DataCloneError");
  }
  if (typeof value !== "object" || value === null) return value;
  return mapHas(seen, value) ? mapGet(seen, value) : cloneObject(value, seen);
}

/** Installs structuredClone. */
export function installClone(global: object): void {
  install(global, "structuredClone", (value: unknown) => cloneValue(value, new NativeMap()));
}
