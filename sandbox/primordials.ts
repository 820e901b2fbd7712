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
const { defineProperty: nativeDefine } = Object;
const { setPrototypeOf } = Reflect;
/** A script that puts `get` or `value` on `Object.prototype` must not get into our descriptors: they inherit nothing. */
export const defineProperty = <T>(target: T, name: PropertyKey, descriptor: PropertyDescriptor): T => {
  setPrototypeOf(descriptor, null);
  return nativeDefine(target, name, descriptor);
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
export const NativeUint8Array = Uint8Array;
const { fromBase64: decodeBase64 } = Uint8Array;
export const fromBase64 = (value: string): Uint8Array => apply(decodeBase64, Uint8Array, [value]);
export const text = String;
export const fromCharCode = String.fromCharCode;
export const floor = Math.floor;
export const max = Math.max;
export const min = Math.min;
export const imul = Math.imul;
export const isFinite = Number.isFinite;
export const parseInteger = Number.parseInt;
export const reflectApply = apply;

export const then = uncurry<Promise<unknown>>(Promise.prototype.then);
export const mapGet = uncurry<unknown>(Map.prototype.get);
export const mapSet = uncurry<unknown>(Map.prototype.set);
export const mapHas = uncurry<boolean>(Map.prototype.has);
export const mapDelete = uncurry<boolean>(Map.prototype.delete);
export const setAdd = uncurry<unknown>(Set.prototype.add);
export const setHas = uncurry<boolean>(Set.prototype.has);
export const weakGet = uncurry<unknown>(WeakMap.prototype.get);
export const weakSet = uncurry<unknown>(WeakMap.prototype.set);
export const push = uncurry<number>(Array.prototype.push);
export const shift = uncurry<unknown>(Array.prototype.shift);
export const splice = uncurry<unknown[]>(Array.prototype.splice);
export const join = uncurry<string>(Array.prototype.join);
export const charCodeAt = uncurry<number>(String.prototype.charCodeAt);
export const slice = uncurry<string>(String.prototype.slice);
export const split = uncurry<string[]>(String.prototype.split);
export const indexOf = uncurry<number>(String.prototype.indexOf);
export const startsWith = uncurry<boolean>(String.prototype.startsWith);
export const toBase64 = uncurry<string>(Uint8Array.prototype.toBase64);
export const setBytes = uncurry<void>(Uint8Array.prototype.set);
export const subarray = uncurry<Uint8Array>(Uint8Array.prototype.subarray);

/** True for what can have properties. */
export const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";
