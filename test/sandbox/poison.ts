/**
 * Guest code that replaces every function of every intrinsic by one that works as before and notes when the prelude is
 * who calls it; `called` has their names. A list of all intrinsics is made by walking the globals.
 */
export const POISON = `const called = new Set(), NativeError = Error, note = Set.prototype.add.bind(called), apply = Reflect.apply, construct = Reflect.construct, define = Object.defineProperty, describe = Object.getOwnPropertyDescriptor, keysOf = Reflect.ownKeys, protoOf = Reflect.getPrototypeOf;
  const split = Function.prototype.call.bind(String.prototype.split), has = Function.prototype.call.bind(String.prototype.includes), seen = new WeakMap(), known = WeakMap.prototype.has.bind(seen), remember = WeakMap.prototype.set.bind(seen), text = String;
  NativeError.stackTraceLimit = 3;
  const byPrelude = () => { const lines = split(new NativeError().stack, "\\n"); return lines[3] !== undefined && has(lines[3], "weft:prelude"); };
  const watch = (name, original) => {
    const watched = function (...args) {
      if (byPrelude()) note(name);
      return new.target === undefined ? apply(original, this, args) : construct(original, args, new.target === watched ? original : new.target);
    };
    return watched;
  };
  const OURS = /weft:|^(class|get |set )/;
  const isNative = (f) => /\\[native code\\]/.test(Function.prototype.toString.call(f));
  const roots = [["global", globalThis], ["Generator", protoOf(function* () {}).prototype], ["AsyncGenerator", protoOf(async function* () {}).prototype], ["TypedArray", protoOf(Uint8Array)], ["ArrayIterator", protoOf([][Symbol.iterator]())], ["MapIterator", protoOf(new Map()[Symbol.iterator]())], ["SetIterator", protoOf(new Set()[Symbol.iterator]())], ["StringIterator", protoOf(""[Symbol.iterator]())], ["RegExpStringIterator", protoOf("".matchAll(/x/g))], ["IteratorHelper", protoOf([].values().map((x) => x))], ["AsyncFunction", protoOf(async () => {})]];
  const plan = [];
  for (const [path, holder] of roots) {
    if (holder === null || (typeof holder !== "object" && typeof holder !== "function") || known(holder)) continue;
    remember(holder, 1);
    const names = keysOf(holder);
    for (const key of names) {
      const name = path === "global" ? text(key) : path + "." + text(key);
      const descriptor = describe(holder, key);
      for (const part of ["value", "get", "set"]) {
        const value = descriptor[part];
        if (value === null || (typeof value !== "object" && typeof value !== "function")) continue;
        if (path === "global" && part === "get") continue;
        if (part === "value") roots.push([name, value]);
        if (typeof value === "function" && isNative(value) && descriptor.configurable && key !== "constructor" && value !== Object) plan.push([holder, key, part, part === "value" ? name : part + " " + name, value, descriptor]);
      }
    }
    if (protoOf(holder) !== null) roots.push([path + ".__proto__", protoOf(holder)]);
  }
  const poison = () => {
    for (let i = 0; i < plan.length; i++) {
      const [holder, key, part, name, value] = plan[i];
      const watched = watch(name, value);
      if (typeof value === "function" && describe(value, "prototype") !== undefined) { const statics = keysOf(value); for (let k = 0; k < statics.length; k++) if (statics[k] !== "length" && statics[k] !== "name") try { define(watched, statics[k], describe(value, statics[k])); } catch {} }
      try { define(holder, key, { __proto__: null, ...describe(holder, key), [part]: watched }); } catch {}
    }
  };`;
