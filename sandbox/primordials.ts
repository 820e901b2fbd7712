/**
 * Intrinsics captured before any guest code runs. The prelude calls only these, so that a script which patches its
 * own realm (levels `context` and `isolate`) changes its own results and nothing else.
 */
const { apply } = Reflect;

const uncurry =
  <T>(method: (...args: never[]) => unknown) =>
  (self: unknown, ...args: readonly unknown[]): T =>
    apply(method, self, args) as T;

export const stringify = JSON.stringify;
export const parse = JSON.parse;
export const construct = Reflect.construct;
export const ownKeys = Reflect.ownKeys;
export const getPrototypeOf = Reflect.getPrototypeOf;
export const getOwnPropertyDescriptor = Reflect.getOwnPropertyDescriptor;
/** Only for use before any guest code runs: it could have put something on `Object.prototype`. */
export const { defineProperty: defineEarly } = Object;
const { setPrototypeOf } = Reflect;
/** A script that puts `get` or `value` on `Object.prototype` must not get into our descriptors: they inherit nothing. */
export const defineProperty = <T>(target: T, name: PropertyKey, descriptor: PropertyDescriptor): T => {
  setPrototypeOf(descriptor, null);
  return defineEarly(target, name, descriptor);
};
export const freeze = Object.freeze;
export const keys = Object.keys;
export const create = Object.create;
export const isArray = Array.isArray;
export const isFrozen = Object.isFrozen;
export const NativeDate = Date;
export const NativeError = Error;
export const NativePromise = Promise;
export const NativeMap = Map;
export const NativeSet = Set;
export const NativeWeakMap = WeakMap;
export const NativeArray = Array;
export const NativeArrayBuffer = ArrayBuffer;
export const NativeRegExp = RegExp;
export const NativeTypeError = TypeError;
export const NativeRangeError = RangeError;
export const NativeUint8Array = Uint8Array;
const { fromBase64: decodeBase64 } = Uint8Array;
export const fromBase64 = (value: string): Uint8Array => apply(decodeBase64, Uint8Array, [value]);
export const { isView } = ArrayBuffer;
export const { asyncIterator } = Symbol;
export const text = String;
export const toNumber = Number;
export const fromCharCode = String.fromCharCode;
export const floor = Math.floor;
export const round = Math.round;
export const max = Math.max;
export const min = Math.min;
export const imul = Math.imul;
export const parseInteger = Number.parseInt;
export const reflectApply = apply;

const { resolve: nativeResolve, reject: nativeReject } = Promise;
export const resolved = <T>(value: T): Promise<T> => apply(nativeResolve, NativePromise, [value]) as Promise<T>;
export const rejected = (reason: unknown): Promise<never> =>
  apply(nativeReject, NativePromise, [reason]) as Promise<never>;
export const then = uncurry<Promise<unknown>>(Promise.prototype.then);
export const mapGet = uncurry<unknown>(Map.prototype.get);
export const mapSet = uncurry<unknown>(Map.prototype.set);
export const mapHas = uncurry<boolean>(Map.prototype.has);
export const mapDelete = uncurry<boolean>(Map.prototype.delete);
export const mapEach = uncurry<void>(Map.prototype.forEach);
export const setEach = uncurry<void>(Set.prototype.forEach);
export const setAdd = uncurry<unknown>(Set.prototype.add);
export const setHas = uncurry<boolean>(Set.prototype.has);
export const weakGet = uncurry<unknown>(WeakMap.prototype.get);
export const weakSet = uncurry<unknown>(WeakMap.prototype.set);
export const push = uncurry<number>(Array.prototype.push);
export const shift = uncurry<unknown>(Array.prototype.shift);
export const splice = uncurry<unknown[]>(Array.prototype.splice);
export const join = uncurry<string>(Array.prototype.join);
export const sliceBuffer = uncurry<ArrayBuffer>(ArrayBuffer.prototype.slice);
export const matchOnce = uncurry<RegExpExecArray | null>(RegExp.prototype.exec);
export const timeOf = uncurry<number>(Date.prototype.getTime);
export const trim = uncurry<string>(String.prototype.trim);
export const toLowerCase = uncurry<string>(String.prototype.toLowerCase);
export const charCodeAt = uncurry<number>(String.prototype.charCodeAt);
export const slice = uncurry<string>(String.prototype.slice);
export const split = uncurry<string[]>(String.prototype.split);
export const indexOf = uncurry<number>(String.prototype.indexOf);
export const startsWith = uncurry<boolean>(String.prototype.startsWith);
export const toBase64 = uncurry<string>(Uint8Array.prototype.toBase64);
export const setBytes = uncurry<void>(Uint8Array.prototype.set);
export const subarray = uncurry<Uint8Array>(Uint8Array.prototype.subarray);

const getterOf = <T>(prototype: object, name: PropertyKey): ((self: unknown) => T) => {
  const getter = Reflect.getOwnPropertyDescriptor(prototype, name)?.get as () => unknown;
  return (self) => apply(getter, self, []) as T;
};
const TypedArray = Reflect.getPrototypeOf(Uint8Array.prototype) as object;
const typedBuffer = getterOf<ArrayBuffer>(TypedArray, "buffer");
const typedOffset = getterOf<number>(TypedArray, "byteOffset");
const typedBytes = getterOf<number>(TypedArray, "byteLength");
const viewBuffer = getterOf<ArrayBuffer>(DataView.prototype, "buffer");
const viewOffset = getterOf<number>(DataView.prototype, "byteOffset");
const viewBytes = getterOf<number>(DataView.prototype, "byteLength");
/** Elements of a typed array. */
export const lengthOf = getterOf<number>(TypedArray, "length");
/** Name of a typed array's class; undefined for anything else. */
export const typedName = getterOf<string | undefined>(TypedArray, Symbol.toStringTag);
export const sourceOf = getterOf<string>(RegExp.prototype, "source");
export const flagsOf = getterOf<string>(RegExp.prototype, "flags");

/** Where the bytes of a view are. */
export interface ViewPlace {
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** The place of a typed array or DataView. */
export const placeOf = (view: unknown): ViewPlace =>
  typedName(view) === undefined
    ? { buffer: viewBuffer(view), offset: viewOffset(view), bytes: viewBytes(view) }
    : { buffer: typedBuffer(view), offset: typedOffset(view), bytes: typedBytes(view) };

/** The bytes of a typed array or DataView. */
export const bytesOf = (view: unknown): Uint8Array<ArrayBuffer> => {
  const { buffer, offset, bytes } = placeOf(view);
  return new NativeUint8Array(buffer, offset, bytes);
};

/** True when a list has the value; a list has no other way that a script could not change. */
export const listHas = (list: readonly unknown[], value: unknown): boolean => {
  for (let i = 0; i < list.length; i++) if (list[i] === value) return true;
  return false;
};

/** True for what can have properties. */
export const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";
