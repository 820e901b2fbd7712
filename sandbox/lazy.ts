import { freezeNew } from "./harden.ts";
import { defineEarly, defineProperty, isObject } from "./primordials.ts";

let frozen = false;

/** From now on what {@link once} makes is frozen at once: the executions of this realm share it. */
export function freezeLazy(): void {
  frozen = true;
}

/** Makes something when it is first asked for: most executions never pay for what most scripts do not use. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    if (made === null) {
      made = { value: make() };
      if (frozen) freezeNew([made.value]);
    }
    return made.value;
  };
}

/** Installs, while the realm boots, a global that is made when it is first read; assigning it replaces it where it is assigned. */
export function installLazy(global: object, name: string, get: () => unknown): void {
  defineEarly(global, name, {
    configurable: true,
    enumerable: false,
    get,
    set(this: unknown, value: unknown) {
      const target = isObject(this) ? this : global;
      defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
    },
  });
}
