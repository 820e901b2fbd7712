import { copyBytes } from "./blob.ts";
import { type AlgorithmInit, CryptoKey, factsOf, type KeyMaterial, makeKey, usable } from "./crypto-key.ts";

declare const weft: { op(name: string, args: unknown): Promise<unknown> };

type Bytes = ArrayBuffer | ArrayBufferView;
type Algorithm = Readonly<Record<string, unknown>>;

/** Results of these differ from call to call, so they are recorded instead of computed again. */
const RANDOMIZED = ["sign ECDSA", "sign RSA-PSS", "encrypt RSA-OAEP"];

const base64 = (bytes: Bytes) => copyBytes(bytes).toBase64();

/** The algorithm as plain JSON: names filled in, bytes as `{ base64 }`. */
function toAlgorithm(init: AlgorithmInit): Algorithm {
  if (typeof init === "string") return { name: init };
  const entries = Object.entries(init).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, toParameter(name, value)]));
}

function toParameter(name: string, value: unknown): unknown {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return { base64: base64(value) };
  if (name === "hash") return toAlgorithm(value as AlgorithmInit);
  return value instanceof CryptoKey ? toWire(value) : value;
}

function toWire(key: CryptoKey): unknown {
  const { material, algorithm, usages, type } = factsOf(key);
  return { ...material, algorithm, usages, type };
}

async function call(
  method: string,
  args: Readonly<Record<string, unknown>> & { algorithm: Algorithm },
): Promise<Record<string, unknown>> {
  const randomized = RANDOMIZED.includes(`${method} ${String(args.algorithm["name"]).toUpperCase()}`);
  return (await weft.op(randomized ? "crypto.subtle_random" : "crypto.subtle", { method, ...args })) as Record<
    string,
    unknown
  >;
}

async function toBuffer(
  method: string,
  args: Readonly<Record<string, unknown>> & { algorithm: Algorithm },
): Promise<ArrayBuffer> {
  const { data } = await call(method, args);
  return Uint8Array.fromBase64(String(data)).buffer;
}

async function withKey(
  method: string,
  [init, key, data]: readonly [AlgorithmInit, CryptoKey, Bytes],
): Promise<ArrayBuffer> {
  usable(key, method);
  return await toBuffer(method, { algorithm: toAlgorithm(init), key: toWire(key), data: base64(data) });
}

async function importKey(
  format: KeyMaterial["format"],
  data: Bytes | object,
  ...rest: readonly [AlgorithmInit, boolean, string[]]
): Promise<CryptoKey> {
  const [init, extractable, usages] = rest;
  const material: KeyMaterial = { format, data: format === "jwk" ? data : base64(data as Bytes) };
  const algorithm = toAlgorithm(init);
  const facts = await call("importKey", { algorithm, key: { ...material, algorithm, usages, type: "" } });
  const described = facts["algorithm"] as Algorithm;
  return makeKey({ type: facts["type"] as "secret", extractable, algorithm: described, usages: [...usages], material });
}

async function exportKey(format: KeyMaterial["format"], key: CryptoKey): Promise<unknown> {
  const { extractable, algorithm } = factsOf(key);
  if (!extractable) throw new DOMException("the key is not extractable", "InvalidAccessError");
  const { data } = await call("exportKey", { algorithm, key: toWire(key), format });
  return format === "jwk" ? data : Uint8Array.fromBase64(String(data)).buffer;
}

const HASH_BITS: Readonly<Record<string, number>> = { "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 };

function keyBits(algorithm: Algorithm): number {
  const name = String(algorithm["name"]).toUpperCase();
  if (typeof algorithm["length"] === "number") return algorithm["length"];
  const hash = (algorithm["hash"] as Algorithm | undefined)?.["name"];
  const bits = name === "HMAC" ? HASH_BITS[String(hash).toUpperCase()] : undefined;
  if (bits !== undefined) return bits;
  throw new DOMException(`a key for ${name} cannot be made here; import one`, "NotSupportedError");
}

const isSymmetric = (algorithm: Algorithm) => /^(AES-|HMAC$)/i.test(String(algorithm["name"]));

async function generateKey(init: AlgorithmInit, extractable: boolean, usages: string[]): Promise<CryptoKey> {
  const algorithm = toAlgorithm(init);
  if (!isSymmetric(algorithm))
    throw new DOMException("only AES and HMAC keys can be made here; import others", "NotSupportedError");
  const bytes = realm.crypto.getRandomValues(new Uint8Array(keyBits(algorithm) / 8));
  return await importKey("raw", bytes, init, extractable, usages);
}

async function deriveBits(init: AlgorithmInit, key: CryptoKey, length: number | null = null): Promise<ArrayBuffer> {
  if (!factsOf(key).usages.includes("deriveKey")) usable(key, "deriveBits");
  return await toBuffer("deriveBits", { algorithm: toAlgorithm(init), key: toWire(key), length });
}

/** `globalThis` under a name that the bundler does not replace. */
const realm: typeof globalThis = globalThis;

const subtle = {
  digest: async (init: AlgorithmInit, data: Bytes) =>
    await toBuffer("digest", { algorithm: toAlgorithm(init), data: base64(data) }),
  sign: async (...args: [AlgorithmInit, CryptoKey, Bytes]) => await withKey("sign", args),
  encrypt: async (...args: [AlgorithmInit, CryptoKey, Bytes]) => await withKey("encrypt", args),
  decrypt: async (...args: [AlgorithmInit, CryptoKey, Bytes]) => await withKey("decrypt", args),
  async verify(...[init, key, signature, data]: [AlgorithmInit, CryptoKey, Bytes, Bytes]) {
    usable(key, "verify");
    const args = { algorithm: toAlgorithm(init), key: toWire(key), signature: base64(signature), data: base64(data) };
    return (await call("verify", args))["valid"] === true;
  },
  deriveBits,
  async deriveKey(...args: [AlgorithmInit, CryptoKey, AlgorithmInit, boolean, string[]]) {
    const [init, key, wanted, extractable, usages] = args;
    const bits = await deriveBits(init, usable(key, "deriveKey") && key, keyBits(toAlgorithm(wanted)));
    return await importKey("raw", bits, wanted, extractable, usages);
  },
  importKey,
  exportKey,
  generateKey,
};

/** The guest's crypto, with `subtle` over the ops `crypto.subtle` and `crypto.subtle_random`. */
export const crypto = /* @__PURE__ */ Object.freeze({
  getRandomValues: <T extends ArrayBufferView>(array: T): T => realm.crypto.getRandomValues(array as never),
  randomUUID: () => realm.crypto.randomUUID(),
  subtle: /* @__PURE__ */ Object.freeze(subtle),
});
