import { webcrypto } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { OpCall, Scope } from "../../runtime/capabilities/capability.ts";
import { crypto } from "../../runtime/capabilities/crypto.ts";
import { testScope } from "./op-call.ts";

interface CallOptions {
  readonly op?: string;
  /** The execution that calls; its own by default. */
  readonly scope?: Scope;
  readonly signal?: AbortSignal;
}

async function call(args: unknown, options: CallOptions = {}): Promise<Record<string, unknown>> {
  const { op = "crypto.subtle", scope = testScope(), signal = new AbortController().signal } = options;
  const found = crypto.ops[op];
  if (found === undefined) throw new Error(op);
  return JSON.parse(await found.run(found.parse(args, scope), { scope, signal } as OpCall));
}

const b64 = (text: string) => Buffer.from(text).toString("base64");
const hmac = {
  format: "raw",
  data: b64("key"),
  algorithm: { name: "HMAC", hash: { name: "SHA-256" } },
  usages: ["sign", "verify"],
};

async function ecKeys() {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const jwk = async (key: webcrypto.CryptoKey, usage: string) => ({
    format: "jwk",
    data: { ...(await webcrypto.subtle.exportKey("jwk", key)), key_ops: [usage] },
    algorithm,
    usages: [usage],
  });
  return { sign: await jwk(pair.privateKey, "sign"), verify: await jwk(pair.publicKey, "verify") };
}

describe("crypto.subtle", () => {
  test("is pure and gives what WebCrypto gives", async () => {
    expect(crypto.ops["crypto.subtle"]?.effect).toBe("pure");
    const { data } = await call({ method: "digest", algorithm: { name: "SHA-256" }, data: b64("a") });
    expect(Buffer.from(String(data), "base64").toString("hex")).toBe(
      "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    );
    const signed = await call({ method: "sign", algorithm: { name: "HMAC" }, key: hmac, data: b64("x") });
    const check = { method: "verify", algorithm: { name: "HMAC" }, key: hmac, signature: signed["data"] };
    expect(await call({ ...check, data: b64("x") })).toEqual({ valid: true });
    expect(await call({ ...check, data: b64("y") })).toEqual({ valid: false });
  });

  test("leaves what differs from call to call to the recorded op", async () => {
    const { sign, verify } = await ecKeys();
    const algorithm = { name: "ECDSA", hash: { name: "SHA-256" } };
    const args = { method: "sign", algorithm, key: sign, data: b64("x") };
    await expect(call(args)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: /another result each time/ });
    expect(crypto.ops["crypto.subtle_random"]?.effect).toBe("outside");
    const { data } = await call(args, { op: "crypto.subtle_random" });
    expect(await call({ method: "verify", algorithm, key: verify, signature: data, data: b64("x") })).toEqual({
      valid: true,
    });
  });

  test("agrees on a secret with another's public key", async () => {
    const algorithm = { name: "X25519" };
    const keys = async () =>
      (await webcrypto.subtle.generateKey(algorithm, true, ["deriveBits"])) as webcrypto.CryptoKeyPair;
    const [mine, other] = [await keys(), await keys()];
    const exported = async (format: "pkcs8" | "raw", key: webcrypto.CryptoKey) =>
      Buffer.from(await webcrypto.subtle.exportKey(format, key)).toString("base64");
    const key = { format: "pkcs8", data: await exported("pkcs8", mine.privateKey), algorithm, usages: ["deriveBits"] };
    const theirs = { format: "raw", data: await exported("raw", other.publicKey), algorithm, usages: [] };
    const { data } = await call({
      method: "deriveBits",
      algorithm: { ...algorithm, public: theirs },
      key,
      length: 256,
    });
    const expected = await webcrypto.subtle.deriveBits(
      { ...algorithm, public: mine.publicKey } as never,
      other.privateKey,
      256,
    );
    expect(Buffer.from(String(data), "base64")).toEqual(Buffer.from(expected));
  });

  const digest = { method: "digest", algorithm: { name: "SHA-256" }, data: b64("a") };
  const slow = {
    method: "deriveBits",
    algorithm: { name: "PBKDF2", hash: "SHA-256", salt: { base64: b64("salt") }, iterations: 150_000 },
    key: { format: "raw", data: b64("password"), algorithm: { name: "PBKDF2" }, usages: ["deriveBits"] },
    length: 256,
  };

  test("does one thing at a time for an execution, in order", async () => {
    const scope = testScope();
    const order: string[] = [];
    const calls = [
      call(slow, { scope }).then(() => order.push("slow")),
      call(digest, { scope }).then(() => order.push("quick")),
      call(digest).then(() => order.push("another execution's")),
    ];
    await Promise.all(calls);
    expect(order).toEqual(["another execution's", "slow", "quick"]);
  });

  test("does two things at once in a worker", async () => {
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    await Promise.all([call(slow).then(note("slow")), call(slow).then(note("slow")), call(digest).then(note("quick"))]);
    expect(order[0]).toBe("slow");
  });

  test("drops what its execution no longer waits for, and goes on with the rest", async () => {
    const scope = testScope();
    const ended = new AbortController();
    const calls = [call(slow, { scope }), call(slow, { scope, signal: ended.signal }), call(digest, { scope })];
    ended.abort(new Error("the execution has ended"));
    const [done, dropped, next] = await Promise.allSettled(calls);
    expect([done?.status, next?.status]).toEqual(["fulfilled", "fulfilled"]);
    expect(dropped).toMatchObject({ status: "rejected", reason: { message: "the execution has ended" } });
  });

  const derive = { method: "deriveBits", key: { ...hmac, algorithm: { name: "PBKDF2" }, usages: ["deriveBits"] } };
  test.each([
    [
      "rounds",
      { ...derive, algorithm: { name: "PBKDF2", iterations: 2_000_001 } },
      "iterations × blocks of output over 2000000 (2000001)",
    ],
    [
      "rounds of all blocks",
      { ...derive, algorithm: { name: "PBKDF2", hash: { name: "sha-256" }, iterations: 500_000 }, length: 1_281 },
      "iterations × blocks of output over 2000000 (3000000)",
    ],
    [
      "rounds of the shortest blocks",
      { ...derive, algorithm: { name: "PBKDF2", hash: "SHA-1", iterations: 1_000_000 }, length: 512 },
      "iterations × blocks of output over 2000000 (4000000)",
    ],
    [
      "derived bits",
      { ...derive, algorithm: { name: "PBKDF2", iterations: 1 }, length: 65_544 },
      "length in bits over 65536 (65544)",
    ],
    [
      "key size",
      { method: "sign", algorithm: { name: "HMAC" }, key: { ...hmac, data: "A".repeat(16_388) } },
      "key characters over 16384 (16388)",
    ],
  ])("names the limit and the value: %s", async (_, args, message) => {
    await expect(call(args)).rejects.toMatchObject({ code: "LIMIT_EXCEEDED", message: `crypto.subtle: ${message}` });
  });

  test.each([
    ["nothing", null, /the argument must be an object/],
    ["method", { method: "generateKey", algorithm: { name: "X" } }, /method must be one of .*; it is "generateKey"/],
    ["algorithm", { method: "digest", algorithm: "SHA-256" }, /algorithm must be an object/],
    ["algorithm name", { method: "digest", algorithm: {} }, /algorithm.name must be text/],
    ["unknown algorithm", { method: "digest", algorithm: { name: "MD5" } }, /digest: /],
    ["data", { method: "digest", algorithm: { name: "SHA-1" }, data: 1 }, /data must be base64 text/],
    ["no key", { method: "sign", algorithm: { name: "HMAC" } }, /sign needs a key/],
    [
      "key format",
      { method: "sign", algorithm: { name: "HMAC" }, key: { ...hmac, format: "pem" } },
      /key.format must be one of/,
    ],
    [
      "usages",
      { method: "sign", algorithm: { name: "HMAC" }, key: { ...hmac, usages: "sign" } },
      /key.usages must be a list/,
    ],
    ["unknown usage", { method: "sign", algorithm: { name: "HMAC" }, key: { ...hmac, usages: ["fly"] } }, /sign: /],
    ["length", { ...derive, algorithm: { name: "PBKDF2" }, length: -1 }, /length must be a whole number of bits/],
    [
      "wrong tag",
      {
        method: "decrypt",
        algorithm: { name: "AES-GCM", iv: { base64: b64("123456789012") } },
        data: b64("x".repeat(32)),
        key: { format: "raw", data: b64("k".repeat(16)), algorithm: { name: "AES-GCM" }, usages: ["decrypt"] },
      },
      /decrypt: /,
    ],
  ])("refuses bad arguments as INVALID_ARGUMENT: %s", async (_, args, message) => {
    await expect(call(args)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message });
  });
});
