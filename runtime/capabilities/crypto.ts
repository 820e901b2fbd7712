import { webcrypto } from "node:crypto";
import { fail } from "../errors.ts";
import { type Capability, defineOp, type OpCall } from "./capability.ts";
import { cryptoQueue } from "./crypto-queue.ts";

/** Most rounds of one PBKDF2 derivation, all blocks of its output together: about a second of one thread. */
const MAX_PBKDF2_ROUNDS = 2_000_000;
/** Bits of a block of PBKDF2's output, by digest; what is not named here has the shortest. */
const BLOCK_BITS: Readonly<Record<string, number>> = { "SHA-256": 256, "SHA-384": 384, "SHA-512": 512 };
const SHORTEST_BLOCK_BITS = 160;
/** Longest key material, in base64 characters (or JSON text of a JSON Web Key). */
const MAX_KEY_CHARS = 16_384;
/** Most bits of one derivation. */
const MAX_DERIVED_BITS = 65_536;

const METHODS = ["digest", "sign", "verify", "encrypt", "decrypt", "deriveBits", "importKey", "exportKey"] as const;
const FORMATS = ["raw", "pkcs8", "spki", "jwk"] as const;
const RANDOMIZED = ["sign ECDSA", "sign RSA-PSS", "encrypt RSA-OAEP"];

type Method = (typeof METHODS)[number];
type Format = (typeof FORMATS)[number];
type Json = Readonly<Record<string, unknown>>;

interface KeyArgs {
  readonly format: Format;
  readonly data: Uint8Array<ArrayBuffer> | webcrypto.JsonWebKey;
  readonly algorithm: webcrypto.AlgorithmIdentifier;
  readonly usages: readonly webcrypto.KeyUsage[];
}

/** Checked arguments of one call of WebCrypto; which members are set depends on the method. */
interface CryptoArgs {
  readonly method: Method;
  readonly algorithm: Json & { readonly name: string };
  readonly data: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly key: KeyArgs | null;
  readonly format: Format;
  readonly length: number | null;
}

function invalid(message: string): never {
  throw fail("INVALID_ARGUMENT", { message: `crypto.subtle: ${message}` });
}

function limited(field: string, limit: number, value: unknown): never {
  throw fail("LIMIT_EXCEEDED", {
    message: `crypto.subtle: ${field} over ${limit} (${String(value)})`,
    field,
    limit,
    value,
  });
}

function toObject(value: unknown, field: string): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : invalid(`${field} must be an object`);
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], field: string): T {
  const found = allowed.find((name) => name === value);
  return found ?? invalid(`${field} must be one of ${allowed.join(", ")}; it is ${JSON.stringify(value)}`);
}

function toBytes(value: unknown, field: string): Uint8Array<ArrayBuffer> {
  if (value === undefined) return new Uint8Array(0);
  return typeof value === "string"
    ? new Uint8Array(Buffer.from(value, "base64"))
    : invalid(`${field} must be base64 text`);
}

/** Node's form of an algorithm: `{ base64 }` members become bytes. */
function toAlgorithm(value: unknown, field: string): Json & { readonly name: string } {
  const algorithm = toObject(value, field);
  const name = typeof algorithm["name"] === "string" ? algorithm["name"] : invalid(`${field}.name must be text`);
  const entries = Object.entries(algorithm).map(([key, member]) => [key, toMember(key, member)]);
  return { ...Object.fromEntries(entries), name };
}

function toMember(key: string, member: unknown): unknown {
  if (typeof member !== "object" || member === null || key === "public") return member;
  const { base64 } = member as Json;
  return base64 === undefined ? member : toBytes(base64, key);
}

function toKey(value: unknown, field: string): KeyArgs {
  const key = toObject(value, field);
  const format = oneOf(key["format"], FORMATS, `${field}.format`);
  const chars = (format === "jwk" ? JSON.stringify(key["data"]) : String(key["data"])).length;
  if (chars > MAX_KEY_CHARS) limited("key characters", MAX_KEY_CHARS, chars);
  const data = format === "jwk" ? { ...toObject(key["data"], `${field}.data`) } : toBytes(key["data"], `${field}.data`);
  const usages = Array.isArray(key["usages"])
    ? (key["usages"] as webcrypto.KeyUsage[])
    : invalid(`${field}.usages must be a list`);
  return { format, data, algorithm: toAlgorithm(key["algorithm"], `${field}.algorithm`), usages };
}

function toLength(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (!Number.isInteger(value) || (value as number) < 0) invalid("length must be a whole number of bits, or null");
  if ((value as number) > MAX_DERIVED_BITS) limited("length in bits", MAX_DERIVED_BITS, value);
  return value as number;
}

/** Every block of the output costs all the rounds again. */
function checkRounds(algorithm: Json, length: number | null): void {
  const rounds = algorithm["iterations"];
  if (typeof rounds !== "number") return;
  const digest = algorithm["hash"];
  const name = typeof digest === "string" ? digest : (digest as Json | undefined)?.["name"];
  const blocks = Math.ceil((length ?? 0) / (BLOCK_BITS[String(name).toUpperCase()] ?? SHORTEST_BLOCK_BITS));
  const total = rounds * Math.max(1, blocks);
  if (total > MAX_PBKDF2_ROUNDS) limited("iterations × blocks of output", MAX_PBKDF2_ROUNDS, total);
}

function parse(value: unknown): CryptoArgs {
  const args = toObject(value, "the argument");
  const algorithm = toAlgorithm(args["algorithm"], "algorithm");
  const length = toLength(args["length"]);
  checkRounds(algorithm, length);
  return {
    method: oneOf(args["method"], METHODS, "method"),
    algorithm,
    data: toBytes(args["data"], "data"),
    signature: toBytes(args["signature"], "signature"),
    key: args["key"] === undefined ? null : toKey(args["key"], "key"),
    format: args["format"] === undefined ? "raw" : oneOf(args["format"], FORMATS, "format"),
    length,
  };
}

/** A pure op may be done again after a crash, so what differs from call to call is refused there. */
function parsePure(value: unknown): CryptoArgs {
  const args = parse(value);
  const call = `${args.method} ${args.algorithm.name.toUpperCase()}`;
  return RANDOMIZED.includes(call)
    ? invalid(`${call} gives another result each time; use the op crypto.subtle_random`)
    : args;
}

const { subtle } = webcrypto;

async function importKey({ format, data, algorithm, usages }: KeyArgs): Promise<webcrypto.CryptoKey> {
  if (format === "jwk")
    return await subtle.importKey(format, data as webcrypto.JsonWebKey, algorithm, true, [...usages]);
  return await subtle.importKey(
    format,
    data as Uint8Array<ArrayBuffer>,
    algorithm,
    format === "raw" ? !isDerivation(algorithm) : true,
    [...usages],
  );
}

/** Node takes keys for key derivation only as not extractable. */
function isDerivation(algorithm: webcrypto.AlgorithmIdentifier): boolean {
  return /^(PBKDF2|HKDF)$/i.test(typeof algorithm === "string" ? algorithm : algorithm.name);
}

const base64 = (data: ArrayBuffer) => ({ data: Buffer.from(data).toString("base64") });

async function deriveBits(args: CryptoArgs, key: webcrypto.CryptoKey): Promise<object> {
  const other = args.algorithm["public"];
  const algorithm =
    other === undefined
      ? args.algorithm
      : { ...args.algorithm, public: await importKey(toKey(other, "algorithm.public")) };
  return base64(await subtle.deriveBits(algorithm as never, key, args.length));
}

async function exportKey({ format }: CryptoArgs, key: webcrypto.CryptoKey): Promise<object> {
  if (format === "jwk") return { data: await subtle.exportKey("jwk", key) };
  return base64((await subtle.exportKey(format, key)) as ArrayBuffer);
}

async function perform(args: CryptoArgs): Promise<object> {
  const { method, data, signature } = args;
  const algorithm = args.algorithm as never;
  if (method === "digest") return base64(await subtle.digest(algorithm, data));
  const key = await importKey(args.key ?? invalid(`${method} needs a key`));
  switch (method) {
    case "sign":
      return base64(await subtle.sign(algorithm, key, data));
    case "verify":
      return { valid: await subtle.verify(algorithm, key, signature, data) };
    case "encrypt":
      return base64(await subtle.encrypt(algorithm, key, data));
    case "decrypt":
      return base64(await subtle.decrypt(algorithm, key, data));
    case "deriveBits":
      return await deriveBits(args, key);
    case "importKey":
      return { type: key.type, algorithm: key.algorithm };
    case "exportKey":
      return await exportKey(args, key);
  }
}

async function run(args: CryptoArgs, { scope, signal }: OpCall): Promise<string> {
  try {
    return JSON.stringify(await cryptoQueue.run(scope, signal, () => perform(args)));
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    if (!(thrown instanceof DOMException || thrown instanceof TypeError || thrown instanceof RangeError)) throw thrown;
    const message = thrown.message === "" ? "the operation failed" : thrown.message;
    throw fail("INVALID_ARGUMENT", { message: `crypto.subtle.${args.method}: ${message}`, name: thrown.name }, thrown);
  }
}

/** WebCrypto for scripts: the global `crypto.subtle` of the guest is made of these two ops. */
export const crypto: Capability = {
  name: "crypto",
  ops: {
    "crypto.subtle": defineOp({ effect: "pure", parse: parsePure, run }),
    "crypto.subtle_random": defineOp({ effect: "outside", parse, run }),
  },
  declaration: "",
  doc: {
    member: "crypto.subtle (global)",
    sentence: `WebCrypto: digests, HMAC, AES, RSA, elliptic curves, PBKDF2 (at most ${MAX_PBKDF2_ROUNDS} rounds × blocks of output) and HKDF; one at a time.`,
    limits: ["maxArgBytes", "maxResultBytes"],
  },
};
