/** An algorithm as scripts name it: a name, or an object with parameters. */
export type AlgorithmInit = string | Readonly<Record<string, unknown>>;

/** Key material as it is imported: base64 of bytes, or a JSON Web Key. */
export interface KeyMaterial {
  readonly format: "raw" | "pkcs8" | "spki" | "jwk";
  readonly data: unknown;
}

interface KeyFacts {
  readonly type: "secret" | "private" | "public";
  readonly extractable: boolean;
  readonly algorithm: Readonly<Record<string, unknown>>;
  readonly usages: readonly string[];
  readonly material: KeyMaterial;
}

const made = new WeakMap<object, KeyFacts>();

/** A key of `crypto.subtle`; it lives in the guest and travels with every op that uses it. */
export class CryptoKey {
  constructor() {
    throw new TypeError("Illegal constructor");
  }
  get type(): string {
    return factsOf(this).type;
  }
  get extractable(): boolean {
    return factsOf(this).extractable;
  }
  get algorithm(): Readonly<Record<string, unknown>> {
    return factsOf(this).algorithm;
  }
  get usages(): string[] {
    return [...factsOf(this).usages];
  }
  get [Symbol.toStringTag](): string {
    return "CryptoKey";
  }
}

/** Makes a key. */
export function makeKey(facts: KeyFacts): CryptoKey {
  const key = Object.create(CryptoKey.prototype) as CryptoKey;
  made.set(key, facts);
  return key;
}

/** What a key is made of; throws a TypeError when it is none. */
export function factsOf(key: unknown): KeyFacts {
  const facts = typeof key === "object" && key !== null ? made.get(key) : undefined;
  if (facts === undefined) throw new TypeError("a CryptoKey is needed here");
  return facts;
}

/** The facts of a key that may be used for `usage`; throws InvalidAccessError when it may not. */
export function usable(key: unknown, usage: string): KeyFacts {
  const facts = factsOf(key);
  if (!facts.usages.includes(usage))
    throw new DOMException(`the key may not be used to ${usage}`, "InvalidAccessError");
  return facts;
}
