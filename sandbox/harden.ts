import {
  construct,
  defineEarly,
  defineProperty,
  freeze,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  isFrozen,
  isObject,
  NativeArrayBuffer,
  NativeSet,
  NativeTypeError,
  ownKeys,
  reflectApply,
  setAdd,
  setHas,
} from "./primordials.ts";

const { deleteProperty } = Reflect;

/** Globals that escape the heap limit, the clock or replay. */
const REMOVED = [
  "WebAssembly",
  "SharedArrayBuffer",
  "Atomics",
  "WeakRef",
  "FinalizationRegistry",
  "ShadowRealm",
  "escape",
  "unescape",
];
const REMOVED_FROM_BUFFER = ["resize", "transfer", "transferToFixedLength", "resizable", "maxByteLength"];
/** Legacy statics that would carry one execution's last match into the next. */
const LEGACY_REGEXP = [
  ...["input", "lastMatch", "lastParen", "leftContext", "rightContext", "$_", "$&", "$+", "$`", "$'"],
  ...["$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9"],
];

/** Resizable buffers are not counted by the heap limit: only fixed ones can be made. */
function installArrayBuffer(global: object): void {
  function FixedArrayBuffer(this: unknown, length?: number): unknown {
    if (new.target === undefined) throw new NativeTypeError("Constructor ArrayBuffer requires 'new'");
    return construct(NativeArrayBuffer, [length], new.target);
  }
  defineEarly(FixedArrayBuffer, "name", { value: "ArrayBuffer" });
  defineEarly(FixedArrayBuffer, "prototype", { value: NativeArrayBuffer.prototype, writable: false });
  defineEarly(FixedArrayBuffer, "isView", { value: NativeArrayBuffer.isView, writable: true, configurable: true });
  const species = getOwnPropertyDescriptor(NativeArrayBuffer, Symbol.species);
  if (species !== undefined) defineEarly(FixedArrayBuffer, Symbol.species, species);
  defineEarly(NativeArrayBuffer.prototype, "constructor", {
    value: FixedArrayBuffer,
    writable: true,
    configurable: true,
  });
  defineEarly(global, "ArrayBuffer", {
    value: FixedArrayBuffer,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

function remove(target: object, names: readonly PropertyKey[]): void {
  for (let i = 0; i < names.length; i++) deleteProperty(target, names[i] as PropertyKey);
}

/** Removes what no guest may have; done at boot, in every realm. */
export function removeHazards(global: object): void {
  remove(global, REMOVED);
  remove(NativeArrayBuffer.prototype, REMOVED_FROM_BUFFER);
  remove(RegExp, LEGACY_REGEXP);
  remove(RegExp.prototype, ["compile"]);
  installArrayBuffer(global);
}

/** Intrinsics that no property path from the global object reaches. */
function hiddenIntrinsics(): unknown[] {
  const roots: unknown[] = [
    getPrototypeOf(async () => undefined),
    getPrototypeOf(function* () {}),
    getPrototypeOf(async function* () {}),
    getPrototypeOf(Uint8Array),
    [][Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    ""[Symbol.iterator](),
    "".matchAll(/x/g),
    getOwnPropertyDescriptor(freeze(Object.assign(() => undefined)), "caller"),
    Object.getOwnPropertyDescriptor(Function.prototype, "caller")?.get,
  ];
  for (const root of roots.slice(4, 9)) roots.push(getPrototypeOf(root as object));
  const helper = (Iterator as unknown as { from(x: object): { map(f: () => 1): object } }).from({
    next: () => ({ done: true }),
  });
  roots.push(getPrototypeOf(helper), getPrototypeOf(helper.map(() => 1)));
  // The `arguments` object's shared callee accessor.
  const args = (function (..._: unknown[]) {
    // biome-ignore lint/complexity/noArguments: its descriptor is the point
    return arguments;
  })();
  roots.push(getOwnPropertyDescriptor(args, "callee")?.get);
  // Every error has an own `stack` whose accessors all errors of the realm share.
  const stack = getOwnPropertyDescriptor(new Error(), "stack");
  roots.push(stack?.get, stack?.set);
  return roots;
}

function visitProperties(object: object, visit: (value: unknown) => void): void {
  visit(getPrototypeOf(object));
  const names = ownKeys(object);
  for (let i = 0; i < names.length; i++) {
    const descriptor = getOwnPropertyDescriptor(object, names[i] as PropertyKey);
    if (descriptor === undefined) continue;
    visit(descriptor.value);
    visit(descriptor.get);
    visit(descriptor.set);
  }
}

/** Every object reachable from `roots` over prototypes, properties and accessors, but for what is frozen and leads on when `isNew`. */
function reachable(roots: readonly unknown[], isNew: boolean): object[] {
  const seen = new NativeSet<object>();
  const found: object[] = [];
  const visit = (value: unknown) => {
    if (!isObject(value) || setHas(seen, value) || (isNew && isFrozen(value))) return;
    setAdd(seen, value);
    found.push(value);
  };
  for (const root of roots) visit(root);
  for (let i = 0; i < found.length; i++) visitProperties(found[i] as object, visit);
  return found;
}

/**
 * Assigning `o.toString = …` on an object whose frozen prototype has `toString` throws (the override mistake). These
 * members become accessors whose setter defines an own property instead, as the assignment would have done unfrozen.
 */
function mendOverride(prototype: object, names: readonly PropertyKey[]): void {
  for (const name of names) {
    const descriptor = getOwnPropertyDescriptor(prototype, name);
    if (descriptor === undefined || !("value" in descriptor) || descriptor.configurable !== true) continue;
    const { value } = descriptor;
    defineProperty(prototype, name, {
      configurable: true,
      enumerable: false,
      get: () => value,
      set(this: unknown, next: unknown) {
        if (!isObject(this) || this === prototype)
          throw new TypeError(`Cannot assign to read only property '${String(name)}'`);
        defineProperty(this, name, { value: next, writable: true, enumerable: true, configurable: true });
      },
    });
  }
}

function mendOverrides(): void {
  mendOverride(Object.prototype, [
    "constructor",
    "toString",
    "valueOf",
    "toLocaleString",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
  ]);
  mendOverride(Function.prototype, ["toString", "call", "apply", "bind"]);
  // Libraries put their own `return` on a generator object (the openai client does).
  const generators = [getPrototypeOf(function* () {}), getPrototypeOf(async function* () {})];
  for (const type of generators) mendOverride((type as { prototype: object }).prototype, ["next", "return", "throw"]);
  const errors = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError];
  for (const type of errors) mendOverride(type.prototype, ["constructor", "name", "message", "toString"]);
}

const freezeOne = (object: object) => {
  // A typed array with elements cannot be frozen; none of the intrinsics is one.
  reflectApply(freeze, undefined, [object]);
};

/**
 * Freezes the global object, every intrinsic and the `shared` objects of the prelude, with all that they lead to:
 * nothing an execution does is seen by the next one.
 */
export function freezeRealm(global: object, shared: readonly unknown[]): void {
  mendOverrides();
  for (const object of reachable([global, ...shared, ...hiddenIntrinsics()], false)) freezeOne(object);
}

/** Freezes objects that were made after the realm was frozen, with all that they lead to and is not frozen yet. */
export function freezeNew(roots: readonly unknown[]): void {
  const found = reachable(roots, true);
  for (let i = 0; i < found.length; i++) freezeOne(found[i] as object);
}
