type Library = typeof import("./url-library.ts");
declare function require(id: "./url-library.ts"): Library;

type Constructor = abstract new (...args: never[]) => object;

/**
 * Stands for a class of the library until it is first used: evaluating the library costs more than most scripts do.
 * Instances are the library's own.
 */
function lazy<C extends Constructor>(load: () => C, statics: readonly string[]): C {
  let real: C | undefined;
  const shell = function (this: unknown, ...args: unknown[]): object {
    if (new.target === undefined)
      throw new TypeError(`Class constructor ${shell.name} cannot be invoked without 'new'`);
    return Reflect.construct(use(), args, new.target === shell ? use() : new.target);
  };
  const use = (): C => {
    if (real === undefined) {
      real = load();
      Object.setPrototypeOf(shell.prototype, real.prototype);
    }
    return real;
  };
  const plainHasInstance = Function.prototype[Symbol.hasInstance] as (this: unknown, value: unknown) => boolean;
  const isInstance = function (this: unknown, value: unknown): boolean {
    if (this !== shell) return plainHasInstance.call(this, value);
    return value instanceof use();
  };
  Object.defineProperty(shell, Symbol.hasInstance, { value: isInstance });
  for (const name of statics) {
    const call = (...args: unknown[]) => Reflect.apply(Reflect.get(use(), name) as () => unknown, use(), args);
    Object.defineProperty(shell, name, { value: call, configurable: true, writable: true });
  }
  return shell as unknown as C;
}

const named = <C extends Constructor>(name: string, value: C): C =>
  Object.defineProperty(value, "name", { value: name });

/** WHATWG URL. */
export const URL: Library["URL"] = /* @__PURE__ */ named(
  "URL",
  lazy(() => require("./url-library.ts").URL, ["canParse", "parse"]),
);

/** WHATWG URLSearchParams. */
export const URLSearchParams: Library["URLSearchParams"] = /* @__PURE__ */ named(
  "URLSearchParams",
  lazy(() => require("./url-library.ts").URLSearchParams, []),
);
